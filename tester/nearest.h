/* The known name that was probably meant by an unknown one. Pure; any thread. */
#ifndef TARN_TESTER_NEAREST_H
#define TARN_TESTER_NEAREST_H

/* The one of `names` (up to a NULL) that takes the fewest edits of single characters to make of
 * `wrong`, at most a third of its characters, or one. NULL if none is that near.
 */
const char *nearest_name(const char *wrong, const char *const *names);

#endif
