/* answer PORT TEXT: an HTTP server that gives every request the same text. */
int serve(int port, const char *text);
