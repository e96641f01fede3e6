// Package secure is the way to a server that lets not everybody in: TLS by certificates and passwords that may change
// on disk while the process runs, and plain words for each way of being refused.
//
// [Credentials] follow the files: each new connection uses what they hold then, and connections that stand are left
// alone. A file that cannot be used changes nothing. [Dialer] makes connections with them. Where a server refuses, it
// holds further attempts back, ever longer, until the time is over or the credentials have changed: a wrong password
// tried four times a second locks accounts and fills the logs of the server.
package secure
