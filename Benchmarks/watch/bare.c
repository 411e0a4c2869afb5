// What the watcher is measured against: the same work in C, with nothing around it.
//
//   bare tree DIR N             makes N directories, ten to a parent, four files in each
//   bare setup DIR              walks and watches DIR; prints directories, CPU and memory
//   bare write DIR rewrite|create FILES   rewrites or creates files, spread over all directories
//   bare burst DIR WRITER...    watches DIR, runs the writer, and reads what the kernel tells
//
// Results are lines of the form `name=value`.

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
  fprintf(stderr, "bare: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double cpu(void) {
  struct rusage use;
  getrusage(RUSAGE_SELF, &use);
  return (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e3 +
         (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e3;
}

static double wall(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static long resident(void) {
  long size = 0, pages = 0;
  FILE *file = fopen("/proc/self/statm", "re");
  if (!file || fscanf(file, "%ld %ld", &size, &pages) != 2) fail("statm");
  fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

// MARK: The tree

static void touch(int directory, const char *name) {
  int file = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0 || write(file, "1\n", 2) != 2 || close(file) != 0) fail(name);
}

// Directory n is child n % 10 of directory (n - 1) / 10.
static void name_of(long n, const char *root, char *path) {
  if (n == 0) {
    strcpy(path, root);
    return;
  }
  name_of((n - 1) / 10, root, path);
  sprintf(path + strlen(path), "/package%ld", n % 10);
}

static void make_tree(const char *root, long count) {
  char path[PATH_MAX];
  for (long n = 0; n < count; n++) {
    name_of(n, root, path);
    if (mkdir(path, 0755) != 0) fail(path);
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) fail(path);
    touch(directory, "BUILD.bazel");
    touch(directory, "main.go");
    touch(directory, "main_test.go");
    touch(directory, "README.md");
    close(directory);
  }
}

// MARK: Watching

static const uint32_t mask = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                             IN_ATTRIB | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK;
static int inotify = -1;
static char **paths; // by watch descriptor
static long room, directories, files;

static void walk(int parent, const char *name, char *path, size_t length) {
  // The writer only wants the paths.
  int watch = inotify < 0 ? (int)directories + 1 : inotify_add_watch(inotify, path, mask);
  if (watch < 0) fail(path);
  while (watch >= room) {
    room = room ? room * 2 : 1024;
    paths = realloc(paths, room * sizeof *paths);
    if (!paths) fail("memory");
  }
  paths[watch] = strdup(path);
  directories++;
  int directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (directory < 0) fail(path);
  // A buffer for each level: what is in it outlives the walk of a child.
  char buffer[8192] __attribute__((aligned(8)));
  ssize_t count;
  while ((count = getdents64(directory, buffer, sizeof buffer)) > 0) {
    for (ssize_t at = 0; at < count;) {
      struct dirent64 *entry = (struct dirent64 *)(buffer + at);
      at += entry->d_reclen;
      if (entry->d_type != DT_DIR) {
        files++;
        continue;
      }
      if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
      size_t more = strlen(entry->d_name);
      if (length + more + 2 > PATH_MAX) continue;
      path[length] = '/';
      memcpy(path + length + 1, entry->d_name, more + 1);
      walk(directory, entry->d_name, path, length + 1 + more);
      path[length] = 0;
    }
  }
  close(directory);
}

static void walk_all(const char *root) {
  char path[PATH_MAX];
  strcpy(path, root);
  walk(AT_FDCWD, root, path, strlen(path));
}

static void watch_all(const char *root) {
  inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (inotify < 0) fail("inotify_init1");
  walk_all(root);
}

static void setup(const char *root) {
  long before = resident();
  double start = cpu(), began = wall();
  watch_all(root);
  printf("cpu_ms=%.3f\nwall_ms=%.3f\ndirectories=%ld\nfiles=%ld\nbytes=%ld\n", cpu() - start,
         wall() - began, directories, files, resident() - before);
}

// MARK: Bursts

static void write_all(const char *root, int is_creating, long count) {
  walk_all(root);
  for (long n = 0; n < count; n++) {
    const char *directory = paths[1 + n % directories];
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s%ld", directory, is_creating ? "new" : "burst",
                 n / directories) >= (int)sizeof path)
      fail("path");
    touch(AT_FDCWD, path);
  }
}

static void burst(const char *root, char **writer) {
  watch_all(root);
  double start = cpu();
  pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    execv(writer[0], writer);
    _exit(127);
  }
  long events = 0, overflows = 0;
  size_t kept = 0, limit = 0;
  char *log = NULL;
  static char buffer[65536] __attribute__((aligned(8)));
  struct pollfd poller = {inotify, POLLIN, 0};
  for (int status, is_over = 0;;) {
    ssize_t count = read(inotify, buffer, sizeof buffer);
    if (count <= 0) {
      if (is_over) break;
      is_over = waitpid(child, &status, WNOHANG) == child;
      if (is_over && status != 0) exit(1);
      if (!is_over) poll(&poller, 1, 10);
      continue;
    }
    for (ssize_t at = 0; at < count;) {
      struct inotify_event *event = (struct inotify_event *)(buffer + at);
      at += sizeof *event + event->len;
      events++;
      if (event->mask & IN_Q_OVERFLOW) {
        overflows++;
        continue;
      }
      const char *directory = paths[event->wd];
      size_t length = strlen(directory), name = strlen(event->name);
      if (kept + length + name + 2 > limit) {
        limit = (limit + 65536) * 2;
        log = realloc(log, limit);
        if (!log) fail("memory");
      }
      memcpy(log + kept, directory, length);
      log[kept + length] = '/';
      memcpy(log + kept + length + 1, event->name, name + 1);
      kept += length + name + 2;
    }
  }
  printf("cpu_ms=%.3f\nevents=%ld\noverflows=%ld\n", cpu() - start, events, overflows);
}

int main(int count, char **arguments) {
  const char *command = count > 2 ? arguments[1] : "";
  if (!strcmp(command, "tree") && count == 4)
    make_tree(arguments[2], atol(arguments[3]));
  else if (!strcmp(command, "setup"))
    setup(arguments[2]);
  else if (!strcmp(command, "write") && count == 5)
    write_all(arguments[2], !strcmp(arguments[3], "create"), atol(arguments[4]));
  else if (!strcmp(command, "burst") && count > 3)
    burst(arguments[2], arguments + 3);
  else {
    fprintf(stderr, "usage: bare tree|setup|write|burst DIR ...\n");
    return 2;
  }
  return 0;
}
