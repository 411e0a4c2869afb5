#pragma once

// inotifytools.h only forward-declares struct inotify_event, and Glibc's Swift module has neither
// eventfd nor statfs.
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/vfs.h>

#include <inotifytools/inotify.h>
#include <inotifytools/inotifytools.h>
