# P/sbin commands, P/lib/postfix/sbin daemons, P/etc/postfix configuration, P/share/man (DESIGN.md, section 10).
# An existing main.cf or master.cf is the administrator's: it stays.
set(POSTHORN_QUEUE_DIRECTORY /var/spool/postfix CACHE STRING "queue_directory in the installed main.cf")
set(POSTHORN_DATA_DIRECTORY /var/lib/postfix CACHE STRING "data_directory in the installed main.cf")
install(CODE "
  set(POSTHORN_QUEUE_DIRECTORY \"${POSTHORN_QUEUE_DIRECTORY}\")
  set(POSTHORN_DATA_DIRECTORY \"${POSTHORN_DATA_DIRECTORY}\")
  set(POSTHORN_COMMAND_DIRECTORY \"\${CMAKE_INSTALL_PREFIX}/sbin\")
  set(POSTHORN_DAEMON_DIRECTORY \"\${CMAKE_INSTALL_PREFIX}/lib/postfix/sbin\")
  set(directory \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/etc/postfix\")
  if(NOT EXISTS \"\${directory}/main.cf\")
    configure_file(\"${PROJECT_SOURCE_DIR}/conf/main.cf.in\" \"\${directory}/main.cf\" @ONLY)
  endif()
  if(NOT EXISTS \"\${directory}/master.cf\")
    file(INSTALL \"${PROJECT_SOURCE_DIR}/conf/master.cf\" DESTINATION \"\${directory}\")
  endif()
")
install(DIRECTORY man/ DESTINATION share/man PATTERN "*.md" EXCLUDE)
