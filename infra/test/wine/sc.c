/* In the place of sc, which in wine answers no questions: Spooler runs, backup has failed, others are not there. */
#include <stdio.h>
#include <string.h>

static int say(const char *name, int state, int failure) {
    printf("\r\nSERVICE_NAME: %s\r\n        TYPE               : 10  WIN32_OWN_PROCESS\r\n"
           "        STATE              : %d\r\n        WIN32_EXIT_CODE    : %d  (0x0)\r\n", name, state, failure);
    return 0;
}

int main(int count, char **arguments) {
    const char *asked = count > 2 ? arguments[2] : "";
    if (!strcmp(asked, "Spooler")) return say(asked, 4, 0);
    if (!strcmp(asked, "backup") || !strcmp(asked, "type=")) return say("backup", 1, 1067);
    printf("[SC] EnumQueryServicesStatus:OpenService FAILED 1060:\r\n");
    return 1060;
}
