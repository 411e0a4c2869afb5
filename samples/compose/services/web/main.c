#include "answer.h"

/* By itself the first process of a container heeds no signal. */
#include <signal.h>
#include <unistd.h>

static void end(int number) {
  (void)number;
  _exit(0);
}

int main(void) {
  signal(SIGTERM, end);
  return serve(8080, "Two kettles are in stock.\n");
}
