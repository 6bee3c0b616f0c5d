/* What every incremental parser answers. */
#ifndef TARN_HTTP_PARSE_H
#define TARN_HTTP_PARSE_H

enum parse_outcome {
    PARSE_DONE, /* complete */
    PARSE_MORE, /* right so far; more bytes are needed */
    PARSE_BAD,  /* wrong; no further byte can mend it */
};

#endif
