package breakable

import (
	"os/exec"
	"syscall"
)

// Detach keeps a Ctrl-C at the terminal from a process that the test ends itself.
func Detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
