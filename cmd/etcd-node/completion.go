package main

import (
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// toolCommand stands for one of etcd's own tools among the commands, so that the
// shell can complete it: the tool itself says with what. It never runs, because
// [runTool] comes before.
func toolCommand(word, tool, short string) *cobra.Command {
	return &cobra.Command{
		Use: word, Short: short, DisableFlagParsing: true, Run: func(*cobra.Command, []string) {},
		ValidArgsFunction: func(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			exe, err := os.Executable()
			if err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
			said, err := (&exec.Cmd{Path: exe, Args: append(append([]string{tool, cobra.ShellCompRequestCmd}, args...), toComplete)}).Output()
			if err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
			return completions(string(said))
		},
	}
}

// completions reads what a program made with cobra says to complete with: a line for
// each word, and last the directive, as ":4".
func completions(said string) ([]string, cobra.ShellCompDirective) {
	lines := strings.Split(strings.TrimRight(said, "\n"), "\n")
	last := lines[len(lines)-1]
	directive, err := strconv.Atoi(strings.TrimPrefix(last, ":"))
	if err != nil || !strings.HasPrefix(last, ":") {
		return nil, cobra.ShellCompDirectiveError
	}
	return lines[:len(lines)-1], cobra.ShellCompDirective(directive)
}
