extension EditorSnippet {
  /// A compiler for `:compiler watchbuild` and `:make`, of Vim and Neovim alike.
  static let neovim = EditorSnippet(
    sample: "neovim/watchbuild.vim",
    text: #"""
      " ~/.config/nvim/compiler/watchbuild.vim, or ~/.vim/compiler/watchbuild.vim
      " :compiler watchbuild, then :make builds and loads all images; errors go into the quickfix list.
      " Beside a running `watchbuild dev`, :make! is not needed: it builds what is saved.
      if exists("current_compiler")
        finish
      endif
      let current_compiler = "watchbuild"

      CompilerSet makeprg=watchbuild\ build\ --output\ plain\ --color\ never\ $*
      CompilerSet errorformat=%f:%l:%c:\ %trror:\ %m
      CompilerSet errorformat+=%f:%l:%c:\ %tarning:\ %m
      CompilerSet errorformat+=%f:%l:%c:\ %tote:\ %m
      CompilerSet errorformat+=%f:%l:\ %trror:\ %m
      CompilerSet errorformat+=%f:%l:\ %tarning:\ %m
      CompilerSet errorformat+=%f:%l:\ %tote:\ %m
      CompilerSet errorformat+=%-G%.%#

      """#)
}
