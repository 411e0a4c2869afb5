#pragma once

// inotifytools.h only forward-declares struct inotify_event, and Glibc's Swift module has no eventfd.
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include <inotifytools/inotify.h>
#include <inotifytools/inotifytools.h>
