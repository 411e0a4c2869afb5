#pragma once

// inotifytools.h only forward-declares struct inotify_event, and Glibc's Swift module has neither
// eventfd nor statfs.
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/types.h>
#include <sys/vfs.h>

#include <inotifytools/inotify.h>
#include <inotifytools/inotifytools.h>

// glibc declares these for _GNU_SOURCE only, which Swift's module is not built with.
ssize_t getdents64(int descriptor, void *buffer, size_t size);
int unshare(int flags);
