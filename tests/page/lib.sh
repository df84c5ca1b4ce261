# tests/page/lib.sh - tests the pages of a program without a web server: runs it once per request, as CGI, with an environment made here.
#
#   . tests/page/lib.sh
#   begin account                        a temporary state directory with empty databases, removed at the end
#   get  /account/sign-in                fills $status, $body and $headers; cookies are kept between requests
#   post /account/sign-in email=a@b.kr password=…          a form, with the CSRF token of the last page
#   json POST /account/sign-in '{"email":"a@b.kr"}'         JSON in, JSON out; bearer TOKEN first to act for a user
#   test_that "an unknown email is refused"                 names a test; its checks follow, one per line, the first one beside its request
#   finish                               prints "N passed, N failed"; fails if any test failed
#
# BUILD is the directory of the programs (default build). KEEP=1 keeps the state directory and prints its path.

BUILD=${BUILD:-build}
passed=0 failed=0 current='' current_bad='' token='' csrf='' address=192.0.2.1 lang=en status='' body='' headers='' location=''
declare -A cookie=()
PASSWORD='paper horse lamp river'
PASSWORD_HASH='$argon2id$v=19$m=65536,t=2,p=1$GibLMUgEfTjDxKefyKbHsA$4LMFR5roY/eKclpXbMwfTEbL53OVAIZtCZLLHfGyXUs'

begin() {
	VAR=$(mktemp -d) || exit 1
	if [[ -n ${KEEP-} ]]; then echo "# the state directory is kept: $VAR"; else trap 'rm -rf "$VAR"' EXIT; fi
	export MOTORPOOL_VAR=$VAR MOTORPOOL_ROOT=$PWD DB_LINT=1
	export MOTORPOOL_UNDO_WINDOW_S=0        # what can be undone is final at once; tests about undoing set their own time
	for file in schema:motorpool view:view; do
		sqlite3 "$VAR/${file#*:}.db" ".read db/${file%:*}.sql" "PRAGMA journal_mode = WAL" >/dev/null || exit 1
	done
	use "$1"
}

# Waits until a command succeeds, up to PATIENCE seconds (default 180, so that a slow machine is not a failure).
until_true() {
	local end=$((SECONDS + ${PATIENCE:-180}))
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || return 1
		sleep 0.1
	done
}

use() { program=$BUILD/bin/$1; }
bearer() { token=$1; }
forget() { cookie=() token='' csrf=''; }

# make_user NAME [ROLE …] creates a user NAME@example.com; user_id=N before it sets the id. After `as NAME` requests have the user's API token,
# after `browse NAME` the session cookie of a browser.
make_user() {
	local name=$1 role
	sql "INSERT INTO person (user_id, email, name, phone, lang, password_hash, created_at, updated_at)
	     VALUES (${user_id:-NULL}, '$name@example.com', 'A $name', '010-5555-$(printf %04d ${#name})', 'en', 'x', 0, 0);
	     INSERT INTO api_token (token_hash, user_id, name, created_at)
	     SELECT '$(printf %s "token-of-$name-0123456789" | b2sum -l 256 | cut -d' ' -f1)', $(user_id_of "$name"), 'test', 0;"
	for role in "${@:2}"; do sql "INSERT INTO user_role VALUES ($(user_id_of "$name"), '$role')"; done
}
user_id_of() { echo "(SELECT user_id FROM person WHERE email = '$1@example.com')"; }
as() { forget; bearer "token-of-$1-0123456789"; }
browse() {
	local back=$program
	forget; use account
	sql "UPDATE person SET password_hash = '$PASSWORD_HASH' WHERE user_id = $(user_id_of "$1")"
	get /account/sign-in
	post /account/sign-in email="$1@example.com" password="$PASSWORD"
	program=$back
}
# sign_up EMAIL NAME [FIELD=VALUE …] answers "Check your mail"; in test mode that page has the link of the mail. follow_link uses the link
# on the page: it opens the page of the link, and sends its form with the fields given. Both need `use account`.
sign_up() {
	local -A field=([email]=$1 [name]=$2 [password]=$PASSWORD [lang]=en)
	local pair name sent=()
	for pair in "${@:3}"; do field[${pair%%=*}]=${pair#*=}; done
	for name in "${!field[@]}"; do sent+=("$name=${field[$name]}"); done
	forget
	get /account/sign-up
	post /account/sign-up "${sent[@]}"
}
link_on_page() { sed -n 's/.*href="\(\/account\/[a-z]*?token=[^"]*\)".*/\1/p' <<<"$body" | head -1; }
follow_link() {
	local link
	link=$(link_on_page)
	get "$link"
	post "${link%%\?*}" token="${link#*token=}" "$@"
}
sign_up_and_confirm() { sign_up "$@"; follow_link; }
# sql STATEMENTS runs them; one that fails makes the test fail, also inside $(…). sql_fails STATEMENTS succeeds if the database refuses them.
sql() { sqlite3 -bail -cmd '.timeout 60000' "$VAR/motorpool.db" "$1" 2>"$VAR/sql-error" || { printf '%s: %s\n' "$(<"$VAR/sql-error")" "$1" >>"$VAR/sql-failed"; return 1; }; }
sql_fails() { ! sqlite3 -bail -cmd '.timeout 60000' "$VAR/motorpool.db" "$1" >/dev/null 2>&1; }
js() { jq -r "$1" <<<"$body" 2>/dev/null; }

encode() {
	local LC_ALL=C s=$1 i c
	for ((i = 0; i < ${#s}; i++)); do
		c=${s:i:1}
		case $c in [a-zA-Z0-9.~_-]) printf %s "$c" ;; *) printf '%%%02X' "'$c" ;; esac
	done
}

# ask METHOD PATH [TYPE BODY [ACCEPT]]
ask() {
	local method=$1 path=${2%%\?*} query='' type=${3-} sent=${4-} accept=${5-text/html} jar='' name line
	[[ $2 == *\?* ]] && query=${2#*\?}
	for name in "${!cookie[@]}"; do jar+="${jar:+; }$name=${cookie[$name]}"; done
	(
		export REQUEST_METHOD=$method SCRIPT_NAME=$path PATH_INFO='' QUERY_STRING=$query REMOTE_ADDR=$address
		export HTTP_ACCEPT=$accept HTTP_ACCEPT_LANGUAGE=$lang SERVER_PROTOCOL=HTTP/1.1 HTTP_HOST=localhost
		[[ -n $jar ]] && export HTTP_COOKIE=$jar
		[[ -n $token ]] && export HTTP_AUTHORIZATION="Bearer $token"
		[[ -n $type ]] && export CONTENT_TYPE=$type
		export CONTENT_LENGTH=$(LC_ALL=C; printf %s "${#sent}")
		[[ -n ${idempotency_key-} ]] && export HTTP_IDEMPOTENCY_KEY=$idempotency_key
		printf %s "$sent" | "$program" >"$VAR/answer" 2>>"$VAR/log"
	)
	headers=$(sed '/^\r$/q' "$VAR/answer" | tr -d '\r')
	body=$(sed '1,/^\r$/d' "$VAR/answer")
	status=$(sed -n 's/^Status: \([0-9]*\).*/\1/p' <<<"$headers")
	location=$(sed -n 's/^Location: //p' <<<"$headers")
	while IFS= read -r line; do
		line=${line#Set-Cookie: }
		name=${line%%=*}
		if [[ $line == *Max-Age=0* ]]; then unset "cookie[$name]"; else cookie[$name]=$(sed 's/^[^=]*=\([^;]*\).*/\1/' <<<"$line"); fi
	done < <(grep '^Set-Cookie: ' <<<"$headers")
	line=$(grep -o 'name="csrf" value="[^"]*"' <<<"$body" | head -1)
	if [[ -n $line ]]; then line=${line#*value=\"}; csrf=${line%\"}; fi
}

get() { ask GET "$1"; }

# post PATH NAME=VALUE … submits a form with the CSRF token of the last page.
post() {
	local path=$1 sent="csrf=$(encode "$csrf")" pair
	shift
	for pair; do sent+="&$(encode "${pair%%=*}")=$(encode "${pair#*=}")"; done
	ask POST "$path" application/x-www-form-urlencoded "$sent"
}

json() { ask "$1" "$2" "${3+application/json}" "${3-}" application/json; }

test_that() {
	settle_test
	current=$1 current_bad=''
}

settle_test() {
	[[ -s $VAR/sql-failed ]] && { bad "$(<"$VAR/sql-failed")"; : >"$VAR/sql-failed"; current=${current:-the test setup}; }
	[[ -z $current ]] && return
	if [[ -z $current_bad ]]; then passed=$((passed + 1)); echo "ok - $current"
	else failed=$((failed + 1)); echo "not ok - $current"; printf '#   %s\n' "$current_bad"; fi
	current=''
}

bad() { current_bad+="${current_bad:+; }$1"; return 1; }
expect_status() { [[ $status == "$1" ]] || bad "status $status, not $1"; }
expect_body() { grep -qF -- "$1" <<<"$body" || bad "the body lacks: $1"; }
expect_no_body() { ! grep -qF -- "$1" <<<"$body" || bad "the body has: $1"; }
expect_header() { grep -qiF -- "$1" <<<"$headers" || bad "the headers lack: $1"; }
expect_location() { [[ $location == "$1" ]] || bad "goes to '$location', not '$1'"; }
expect_js() { local is; is=$(js "$1"); [[ $is == "$2" ]] || bad "$1 is '$is', not '$2'"; }
expect_sql() { local is; is=$(sql "$1"); [[ $is == "$2" ]] || bad "$1 is '$is', not '$2'"; }
expect_same() { [[ $1 == "$2" ]] || bad "'$1' is not '$2'"; }

finish() {
	settle_test
	echo "$passed passed, $failed failed"
	((failed == 0))
}
