#!/bin/sh
# man.sh COMMAND VERSION - writes motorpool(8) from the --help texts of the command.
set -eu
motorpool=$1 version=$2

# Verbatim text: characters special to roff are escaped.
verbatim() { printf '.nf\n'; sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\\([.']\\)/\\\\\\&\\1/" -e 's/^$/.sp/'; printf '.fi\n'; }

cat <<END
.TH MOTORPOOL 8 "" "motorpool $version" "motorpool"
.SH NAME
motorpool \\- operates a car-rental system
.SH SYNOPSIS
.B motorpool
.I COMMAND
[\\fB\\-\\-var\\fR \\fIDIR\\fR] [\\fIARGUMENTS\\fR]
.SH DESCRIPTION
Administration of the car-rental system motorpool: accounts, databases, checks, backups. When started by root on an installed
system, it switches to the owner of the state directory, so that the programs can use the files it creates.
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
logs of the relay and the nightly jobs; the programs log to the journal
.SH SEE ALSO
.BR systemctl (1),
.BR lighttpd (8),
operate.md in the documentation directory
END
