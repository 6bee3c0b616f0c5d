/* Standard input, output and errors, which whoever starts the program may have closed. */
#ifndef TARN_SERVER_CONTROL_STANDARD_STREAMS_H
#define TARN_SERVER_CONTROL_STANDARD_STREAMS_H

/* Opens /dev/null in the place of each that is closed: otherwise the next file or socket that is
 * opened would get its number, and what is printed, or what takes its place in a new process, would
 * hit that. To be called before anything is opened. Where there is no /dev/null nothing changes.
 */
void standard_streams_fill(void);

#endif
