# P/sbin commands, P/lib/postfix/sbin daemons, P/etc/postfix configuration, P/share/man (DESIGN.md, section 10).
# An existing main.cf or master.cf is the administrator's: it stays. Users run the commands, whatever umask root installs with.
set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(POSTHORN_QUEUE_DIRECTORY /var/spool/postfix CACHE STRING "queue_directory in the installed main.cf")
set(POSTHORN_DATA_DIRECTORY /var/lib/postfix CACHE STRING "data_directory in the installed main.cf")
foreach(directory . etc etc/postfix etc/logrotate.d lib lib/postfix lib/postfix/sbin lib/systemd lib/systemd/system lib/sysusers.d sbin share share/man)
  install(DIRECTORY DESTINATION ${directory})
endforeach()
# Each by itself: parents that are made on the way get what umask leaves.
# file(INSTALL) puts $DESTDIR before its destination by itself; configure_file does not.
install(CODE "
  set(POSTHORN_QUEUE_DIRECTORY \"${POSTHORN_QUEUE_DIRECTORY}\")
  set(POSTHORN_DATA_DIRECTORY \"${POSTHORN_DATA_DIRECTORY}\")
  set(POSTHORN_COMMAND_DIRECTORY \"\${CMAKE_INSTALL_PREFIX}/sbin\")
  set(POSTHORN_DAEMON_DIRECTORY \"\${CMAKE_INSTALL_PREFIX}/lib/postfix/sbin\")
  set(root \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\")
  set(files \"${PROJECT_SOURCE_DIR}/conf\")
  if(NOT EXISTS \"\${root}/etc/postfix/main.cf\")
    configure_file(\"\${files}/main.cf.in\" \"\${root}/etc/postfix/main.cf\" @ONLY NO_SOURCE_PERMISSIONS)
  endif()
  foreach(name master.cf aliases)
    if(NOT EXISTS \"\${root}/etc/postfix/\${name}\")
      file(INSTALL \"\${files}/\${name}\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/etc/postfix\")
    endif()
  endforeach()
  file(INSTALL \"\${files}/bounce.cf.default\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/etc/postfix\")
  configure_file(\"\${files}/packaging/posthorn.service.in\" \"\${root}/lib/systemd/system/posthorn.service\" @ONLY NO_SOURCE_PERMISSIONS)
  configure_file(\"\${files}/packaging/posthorn.logrotate.in\" \"\${root}/etc/logrotate.d/posthorn\" @ONLY NO_SOURCE_PERMISSIONS)
  # Scripts beside the daemons, where start scripts of containers and other builds' commands look for them.
  foreach(name post-install postfix-script postfix-tls-script postfix-wrapper postmulti-script)
    configure_file(\"\${files}/packaging/\${name}.in\" \"\${root}/lib/postfix/sbin/\${name}\" @ONLY
      FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  endforeach()
")
install(FILES conf/packaging/posthorn.sysusers.conf DESTINATION lib/sysusers.d RENAME posthorn.conf)
install(DIRECTORY man/ DESTINATION share/man PATTERN "*.md" EXCLUDE)

# Programs with a second name: what it does is said by the name it is called with. Also in the build tree, where tests run them.
set(links_sbin mailq=sendmail newaliases=sendmail)
set(links_daemons lmtp=smtp)
foreach(pair IN LISTS links_sbin links_daemons)
  string(REPLACE "=" ";" pair ${pair})
  list(GET pair 0 link)
  list(GET pair 1 program)
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  file(CREATE_LINK ${program} ${PROJECT_BINARY_DIR}/bin/${link} SYMBOLIC)
  set(destination sbin)
  if(program STREQUAL "smtp")
    set(destination lib/postfix/sbin)
  endif()
  install(CODE "
    file(CREATE_LINK ${program} \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${destination}/${link}\" SYMBOLIC)
  ")
endforeach()
# postconf(5) is made from the declarations.
if(TARGET postconf)
  add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/man5/postconf.5
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/man5
    COMMAND postconf -G > ${PROJECT_BINARY_DIR}/man5/postconf.5
    DEPENDS postconf VERBATIM)
  add_custom_target(manual ALL DEPENDS ${PROJECT_BINARY_DIR}/man5/postconf.5)
  install(FILES ${PROJECT_BINARY_DIR}/man5/postconf.5 DESTINATION share/man/man5)
endif()
