/* handshake CERT KEY [-r] [N]: CPU of the server's half of a TLS 1.3 handshake, client and server in one process over a socketpair: what OpenSSL alone
   costs, for comparison with P4*. -r: resumed sessions. Prints microseconds a handshake, of the server and of both. */
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <fcntl.h>
static double cpu(void) { struct timespec t; clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); return t.tv_sec * 1e6 + t.tv_nsec / 1e3; }
static SSL_SESSION *kept;
static int keep(SSL *s, SSL_SESSION *x) { (void)s; if (kept) SSL_SESSION_free(kept); kept = x; return 1; }
int main(int argc, char **argv) {
    if (argc < 3) { fprintf(stderr, "usage: handshake CERT KEY [-r] [N]\n"); return 64; }
    int resume = argc > 3 && !strcmp(argv[3], "-r"), n = argc > 3 + resume ? atoi(argv[3 + resume]) : 2000, resumed = 0;
    SSL_CTX *sc = SSL_CTX_new(TLS_server_method()), *cc = SSL_CTX_new(TLS_client_method());
    if (SSL_CTX_use_certificate_file(sc, argv[1], SSL_FILETYPE_PEM) != 1 || SSL_CTX_use_PrivateKey_file(sc, argv[2], SSL_FILETYPE_PEM) != 1) { fprintf(stderr, "cannot use %s, %s\n", argv[1], argv[2]); return 1; }
    SSL_CTX_set_session_id_context(sc, (const unsigned char *)"bench", 5);
    SSL_CTX_set_num_tickets(sc, 1);
    SSL_CTX_set_session_cache_mode(cc, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(cc, keep);
    double server = 0, begin = 0;
    for (int i = -20; i < n; i++) {                /* the first ones warm up */
        if (i == 0) { server = 0; resumed = 0; begin = cpu(); }
        int p[2]; char byte;
        socketpair(AF_UNIX, SOCK_STREAM, 0, p);
        fcntl(p[0], F_SETFL, O_NONBLOCK); fcntl(p[1], F_SETFL, O_NONBLOCK);
        SSL *c = SSL_new(cc);
        SSL_set_fd(c, p[0]); SSL_set_connect_state(c);
        if (resume && kept) SSL_set_session(c, kept);
        double t = cpu();
        SSL *s = SSL_new(sc);
        SSL_set_fd(s, p[1]); SSL_set_accept_state(s);
        server += cpu() - t;
        for (int k = 0; k < 20 && !(SSL_is_init_finished(s) && SSL_is_init_finished(c)); k++) {
            SSL_do_handshake(c);
            t = cpu(); SSL_do_handshake(s); server += cpu() - t;
        }
        if (!SSL_is_init_finished(s)) { fprintf(stderr, "the handshake failed\n"); return 1; }
        SSL_read(c, &byte, 1);                       /* takes the ticket */
        resumed += SSL_session_reused(s);
        SSL_shutdown(c);
        t = cpu(); SSL_shutdown(s); SSL_free(s); server += cpu() - t;
        SSL_free(c); close(p[0]); close(p[1]);
    }
    printf("server_us=%.1f both_us=%.1f resumed=%d of %d\n", server / n, (cpu() - begin) / n, resumed, n);
    return 0;
}
