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
install(CODE "
  set(directory \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/etc/postfix\")
  file(INSTALL \"${PROJECT_SOURCE_DIR}/conf/bounce.cf.default\" DESTINATION \"\${directory}\")
  if(NOT EXISTS \"\${directory}/aliases\")
    file(INSTALL \"${PROJECT_SOURCE_DIR}/conf/aliases\" DESTINATION \"\${directory}\")
  endif()
")
# Files for packagers: systemd unit, sysusers.d, logrotate, and post-install beside the daemons, where start scripts look for it.
install(CODE "
  set(POSTHORN_COMMAND_DIRECTORY \"\${CMAKE_INSTALL_PREFIX}/sbin\")
  set(root \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\")
  configure_file(\"${PROJECT_SOURCE_DIR}/conf/packaging/posthorn.service.in\" \"\${root}/lib/systemd/system/posthorn.service\" @ONLY)
  configure_file(\"${PROJECT_SOURCE_DIR}/conf/packaging/post-install.in\" \"\${root}/lib/postfix/sbin/post-install\" @ONLY FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
")
install(FILES conf/packaging/posthorn.sysusers.conf DESTINATION lib/sysusers.d RENAME posthorn.conf)
install(FILES conf/packaging/posthorn.logrotate DESTINATION etc/logrotate.d RENAME posthorn)
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
    file(MAKE_DIRECTORY \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${destination}\")
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
