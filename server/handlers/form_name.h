/* The name under which a form's file is stored: the server's own choice, with as much of the
 * client's as cannot do harm.
 */
#ifndef TARN_SERVER_HANDLERS_FORM_NAME_H
#define TARN_SERVER_HANDLERS_FORM_NAME_H

/* With the NUL. */
#define FORM_NAME_SIZE 100

/* Makes a name that nobody has or can guess: holiday_0123456789abcdef.jpg from the client's
 * "C:\\My Pictures\\holiday.jpg". Only letters, digits, '-', '_' and one dot before an extension
 * are in it; what the client wrote is never used as a path. Without a usable part the name begins
 * with "file". Returns 0, or -1 with errno, *out untouched. Any thread.
 */
int form_name_make(const char *filename, char out[FORM_NAME_SIZE]);

#endif
