#!/bin/sh
# man.sh COMMAND VERSION - writes motorpool(8) from what the command says of itself with --help.
set -eu
motorpool=$1 version=$2

# Text as it stands: what roff would take for its own is quoted.
verbatim() { printf '.nf\n'; sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\\([.']\\)/\\\\\\&\\1/" -e 's/^$/.sp/'; printf '.fi\n'; }

cat <<END
.TH MOTORPOOL 8 "" "motorpool $version" "motorpool"
.SH NAME
motorpool \\- runs and looks after a car-rental system
.SH SYNOPSIS
.B motorpool
.I COMMAND
[\\fB\\-\\-var\\fR \\fIDIR\\fR] [\\fIARGUMENTS\\fR]
.SH DESCRIPTION
The command of the car-rental system motorpool: accounts, databases, checks, backups. Started by root on an installed system it
goes on as the owner of the state folder, so that what it makes there is the programs' too.
.SH COMMANDS
END
commands=$("$motorpool" --help | sed -n 's/^  \([a-z][a-z]*\)  *.*/\1/p')
for command in $commands; do
	printf '.SS %s\n' "$command"
	"$motorpool" "$command" --help | verbatim
done
cat <<'END'
.SH FILES
.TP
.I /etc/motorpool/motorpool.conf
this machine's settings
.TP
.I /var/lib/motorpool
the state: databases, keys, photos, sockets
.TP
.I /var/log/motorpool
what the relay and the nightly jobs say; the programs speak to the journal
.SH SEE ALSO
.BR systemctl (1),
.BR lighttpd (8),
operate.md in the documentation folder
END
