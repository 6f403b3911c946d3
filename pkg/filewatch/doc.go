// Package filewatch tells when files may have changed: files that are not there
// yet, whose directories are not there yet, or that a chain of symlinks leads to.
//
// [Watch.Run] asks the kernel (inotify) about every directory on the way to each
// file: whoever renames a file into place, swaps a symlink anywhere on the path,
// makes a missing directory, or changes rights is noticed within a tenth of a
// second. Where the kernel does not tell (a network file system that another
// machine writes to, a mount over a directory, no inotify left), the files'
// attributes are compared every 5 s.
//
// It reads no file and judges nothing: the caller does, whenever it is told.
package filewatch
