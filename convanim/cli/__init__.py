"""The command line: commands, options, help, exit codes and error output."""
