# howto.sh - applies the steps of docs/adding-a-setting.md, adding-an-event.md and adding-a-page.md to a copy of the tree, then builds and
# tests it. A comment before a code block says where the block goes:
#
#	<!-- new PATH -->   <!-- append PATH -->   <!-- after PATH: TEXT -->   <!-- before PATH: TEXT -->
#
# after and before: the first line of the file that contains TEXT ("#endif at the end": the last #endif).
. tests/page/lib.sh
begin fleet
tree=$VAR/tree
real=$PWD

# The files of the tree, also where git is missing.
sources() {
	if git rev-parse >/dev/null 2>&1; then git ls-files -z --cached --others --exclude-standard
	else find . -type f -not -path './.git/*' -not -path '*/node_modules/*' -not -path './build/*' -not -path './var/*' -print0; fi
}

apply() {
	perl -e '
		use strict; use warnings;
		local $/; open my $in, "<", $ARGV[0] or die "$ARGV[0]: $!\n"; my $doc = <$in>; my $n = 0;
		while ($doc =~ /^<!-- (new|append|after|before) (\S+?)(?:: (.*?))? -->\n```\w*\n(.*?)^```$/gms) {
			my ($how, $path, $text, $block) = ($1, $2, $3, $4);
			my $old = "";
			if ($how eq "new") { die "$path exists already\n" if -e $path }
			else { open my $f, "<", $path or die "$path: $!\n"; $old = <$f> }
			if ($how eq "append" || $how eq "new") { $old .= $block }
			else {
				my $at;
				if ($text eq "#endif at the end") { $at = rindex $old, "#endif" } else { $at = index $old, $text }
				die "$path has no line with: $text\n" if $at < 0;
				my $start = rindex($old, "\n", $at) + 1;
				my $end = index($old, "\n", $at) + 1;
				substr($old, $how eq "before" ? $start : $end, 0) = $block;
			}
			open my $out, ">", $path or die "$path: $!\n"; print $out $old; $n++;
		}
		die "$ARGV[0]: nothing to apply\n" unless $n;
	' "$1"
}

test_that "the source tree is copied" && mkdir "$tree" && sources | xargs -0 cp --parents -t "$tree" 2>/dev/null; [[ -f $tree/Makefile ]] || bad "no copy"
cd "$tree" || exit 1
for page in adding-a-setting adding-an-event adding-a-page; do
	test_that "all code blocks of docs/$page.md can be applied" && { said=$(apply "docs/$page.md" 2>&1) || bad "$said"; }
done
test_that "no Korean translation is missing in the changed copy" && { said=$(BUILD=$VAR/pot tools/pot --check 2>&1) || bad "$said"; }
test_that "the changed copy builds without a warning" && { said=$(make -j"$(nproc)" CFLAGS=-O1 BUILD=build "build/bin/fleet" "build/bin/relay" build/motorpool all 2>&1 >/dev/null) || bad "${said:0:2000}"; }
test_that "the new page passes its own test" && { said=$(BUILD=build MOTORPOOL_ROOT= bash tests/page/problem.sh 2>&1) || bad "${said:0:2000}"; }
program=$tree/build/bin/fleet
test_that "the new setting is read, and a value below its limit is refused" && { MOTORPOOL_PROBLEM_NOTE_MAX=5 get /fleet/healthz; grep -q 'must be between 20 and 2000' "$VAR/log" || bad "a value below the limit is accepted"; }
cd "$real" || exit 1
finish
