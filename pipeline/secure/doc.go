// Package secure is the access to a server with access control: TLS by certificates and passwords that may change on
// disk while the process runs, and plain words for each kind of refusal.
//
// [Credentials] follow the files: each new connection uses their present content, and open connections are left alone.
// A file that cannot be used changes nothing. [Dialer] makes connections with them. After a server's refusal it holds
// further attempts back, for growing times, until the time is over or the credentials have changed: a wrong password
// tried four times a second locks accounts and fills the logs of the server.
package secure
