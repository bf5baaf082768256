/* In the place of wevtutil, which in wine does nothing: System has two records, Security is refused, Application is
   empty. Of the query only the number of the last record is looked at. Writes UTF-16, as it is asked to. */
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **arguments) {
    const char *log = count > 2 ? arguments[2] : "";
    int behind = 0, newest_first = 0;
    for (int at = 3; at < count; at++) {
        const char *number = strstr(arguments[at], "EventRecordID>");
        if (number) behind = atoi(strchr(number, '>') + 1);
        if (!strcmp(arguments[at], "/rd:true")) newest_first = 1;
    }
    if (!strcmp(log, "Security")) {
        fputs("Access is denied.\r\n", stderr);
        return 5;
    }
    if (strcmp(log, "System")) return 0;
    _setmode(_fileno(stdout), _O_BINARY);
    for (int record = newest_first ? 2 : 1; record <= 2; record++) {
        if (record <= behind) continue;
        char text[1024];
        int length = snprintf(text, sizeof text,
            "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Disk'/>"
            "<EventID>7</EventID><Level>2</Level><TimeCreated SystemTime='2026-11-30T10:00:0%dZ'/>"
            "<EventRecordID>%d</EventRecordID><Channel>System</Channel><Computer>WINE</Computer></System>"
            "<RenderingInfo Culture='en-US'><Message>The device has a bad block (%d).\r\nSecond line</Message>"
            "</RenderingInfo></Event>\r\n", record, record, record);
        for (int at = 0; at < length; at++) {
            putchar(text[at]);
            putchar(0);
        }
    }
    return 0;
}
