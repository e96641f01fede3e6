package view

import (
	"fmt"
)

func Percent(part, whole int64) string {
	if whole == 0 {
		return "none"
	}
	return fmt.Sprintf("%d %%", (100*part+whole/2)/whole)
}
