# Makes a page that swift-argument-parser's generate-manual wrote for a subcommand read like other pages of section 1:
# called tcpstates-list, as `man tcpstates list` looks it up, and free of what groff and mandoc warn about.

function put(line) {
    # A paragraph break belongs between paragraphs, not before a list or a section.
    if (broken && line !~ /^\.(Bl|El|It|Sh)/) print ".Pp"
    broken = 0
    print line
}

/^$/ || /^\.Pp$/ { broken = 1; next }
/^\.Os$/ { put(".Os Linux"); next }
/^\.Dt / { sub(/\./, "-", $2) }
/^\.Nm "/ { synopsis = $0; gsub(/"/, ""); $0 = $1 " " $2 "-" $3 }
/^\.Nm$/ { $0 = synopsis }
/^\.Nd / { gsub(/^\.Nd "?|\.?"?$/, ""); $0 = ".Nd " $0 }
/^\.Ex -std/ { put("That of"); $0 = ".Xr tcpstates 1 ." }
# Text that starts like a macro.
/^(\.[^A-Z\\]|')/ { $0 = "\\&" $0 }
{ put($0) }

END {
    print ".Sh SEE ALSO"
    print ".Xr tcpstates 1"
}
