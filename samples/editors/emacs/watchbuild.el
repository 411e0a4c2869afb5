;;; watchbuild.el --- build and load container images  -*- lexical-binding: t -*-
;; (load "/path/to/watchbuild.el"), then M-x watchbuild-build or M-x watchbuild-dev; M-g n goes to the next error.

(require 'compile)

(defconst watchbuild-error-regexp
  "^\\([^][:space:]:[][^:\n]*\\):\\([0-9]+\\):\\(?:\\([0-9]+\\):\\)? \\(?:error\\|\\(warning\\)\\|\\(note\\)\\): "
  "A line of watchbuild's that says where something is wrong.")

(define-compilation-mode watchbuild-mode "watchbuild"
  "What watchbuild prints."
  (setq-local compilation-error-regexp-alist-alist
              `((watchbuild ,watchbuild-error-regexp 1 2 3 (4 . 5))))
  (setq-local compilation-error-regexp-alist '(watchbuild)))

(defun watchbuild--start (command)
  (let ((default-directory
          (or (locate-dominating-file default-directory "MODULE.bazel")
              (locate-dominating-file default-directory "WORKSPACE")
              default-directory)))
    (compilation-start (concat "watchbuild " command " --output plain --color never")
                       #'watchbuild-mode)))

(defun watchbuild-build ()
  "Build and load all images once."
  (interactive)
  (watchbuild--start "build"))

(defun watchbuild-dev ()
  "Build and load images whenever their files are saved."
  (interactive)
  (watchbuild--start "dev"))

(provide 'watchbuild)
;;; watchbuild.el ends here
