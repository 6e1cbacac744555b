/* The sub-commands of shikakuctl. Each gets the words after its name, and returns the exit status: 0 done, 1 not done
 * (said why on stderr), 64 used wrongly. */
#ifndef COMMANDS_H
#define COMMANDS_H

#define COMMAND_USAGE 64

int keys_init_command(int argc, char **argv);
int keys_rotate_command(int argc, char **argv);
int keys_status_command(int argc, char **argv);
int keys_end_command(int argc, char **argv);
int peer_add_command(int argc, char **argv);
int staff_add_command(int argc, char **argv);
int staff_compare_command(int argc, char **argv);
int rights_status_command(int argc, char **argv);
int audit_export_command(int argc, char **argv);
int audit_prove_command(int argc, char **argv);
int audit_verify_command(int argc, char **argv);
int audit_reconcile_command(int argc, char **argv);
int audit_gaps_command(int argc, char **argv);
int audit_release_command(int argc, char **argv);
int audit_status_command(int argc, char **argv);

#endif
