# P/sbin commands, P/lib/postfix/sbin daemons, P/etc/postfix configuration, P/share/man (DESIGN.md, section 10).
install(DIRECTORY conf/ DESTINATION etc/postfix FILES_MATCHING PATTERN "*.cf")
install(DIRECTORY man/ DESTINATION share/man PATTERN "*.md" EXCLUDE)
