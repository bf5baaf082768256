/* The counters of Windows, which wine lacks: none can be had, so nothing is known of the processors there. */
#include <windows.h>

#define NONE_TOLD 0x800007D5 /* PDH_NO_DATA */
#define LACKING(name) __declspec(dllexport) LONG WINAPI name(void) { return (LONG)NONE_TOLD; }

LACKING(PdhAddEnglishCounterW)
LACKING(PdhCloseQuery)
LACKING(PdhCollectQueryData)
LACKING(PdhEnumObjectsW)
LACKING(PdhGetFormattedCounterValue)
LACKING(PdhOpenQueryW)
LACKING(PdhRemoveCounter)
