/* Memory that runs out for cJSON only, whose calls do not come through failing_memory. */
#ifndef TARN_TESTS_SUPPORT_FAILING_CJSON_H
#define TARN_TESTS_SUPPORT_FAILING_CJSON_H

/* Lets the next `count` allocations of cJSON succeed and all later ones fail. All threads. */
void failing_cjson_after(unsigned count);

/* Lets all succeed again. */
void failing_cjson_end(void);

#endif
