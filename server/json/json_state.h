/* The states of the JSON check; shared by json_check.c and json_scan.c, of no use elsewhere. */
#ifndef TARN_SERVER_JSON_JSON_STATE_H
#define TARN_SERVER_JSON_JSON_STATE_H

/* What the next byte must be a part of. Section numbers are those of RFC 8259. */
enum json_state {
    JSON_NOWHERE, /* 0, so that what a table of transitions leaves out leads here */

    /* Between tokens, where white space may stand (section 2). */
    JSON_AT_VALUE,
    JSON_AT_FIRST_ELEMENT,
    JSON_AT_FIRST_NAME,
    JSON_AT_NAME,
    JSON_AT_COLON,
    JSON_AFTER_ELEMENT,
    JSON_AFTER_MEMBER,
    JSON_AT_END,

    /* Within true, false or null (section 3). */
    JSON_LITERAL,

    /* Within a number (section 6), after the part that the name says. */
    JSON_MINUS,
    JSON_ZERO,
    JSON_INTEGER,
    JSON_POINT,
    JSON_FRACTION,
    JSON_E,
    JSON_E_SIGN,
    JSON_EXPONENT,

    /* Within a string (section 7): between characters, before each byte of an escape,
     * and after the closing quote.
     */
    JSON_STRING,
    JSON_ESCAPE,
    JSON_HEX_1,
    JSON_HEX_2,
    JSON_HEX_3,
    JSON_HEX_4,
    JSON_SURROGATE_2, /* after \uD */
    JSON_HIGH_3,      /* after \uD8 ... \uDB: the second half of the pair must follow */
    JSON_HIGH_4,
    JSON_LOW_BACKSLASH,
    JSON_LOW_U,
    JSON_LOW_1,
    JSON_LOW_2,
    JSON_STRING_END,

    /* Before the last byte, the last two or three of a UTF-8 character; those named by the first
     * byte have a narrower range (RFC 3629 section 4).
     */
    JSON_TAIL_1,
    JSON_TAIL_2,
    JSON_TAIL_3,
    JSON_TAIL_E0,
    JSON_TAIL_ED,
    JSON_TAIL_F0,
    JSON_TAIL_F4,

    /* No state of a text that is right so far: these tell one fault of a state from another. */
    JSON_BAD_CONTROL,
    JSON_BAD_UTF8,
    JSON_BAD_SURROGATE,
    JSON_BAD_MARK,
    JSON_BAD_DEPTH,
    JSON_BAD_COUNT,
    JSON_STATE_COUNT
};

#endif
