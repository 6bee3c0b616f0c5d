/* Tells a service manager how it goes, by the protocol of systemd's sd_notify(3). */
#ifndef TARN_SERVER_CONTROL_NOTIFY_H
#define TARN_SERVER_CONTROL_NOTIFY_H

/* Sends "READY=1", "STOPPING=1" or the like to the socket that the environment names; does nothing
 * if it names none. Never waits. By the main thread.
 */
void notify_manager(const char *state);

#endif
