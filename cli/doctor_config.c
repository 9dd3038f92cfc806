/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_config.c - the configuration of a kernel: /boot/config-RELEASE, or
 * /proc/config.gz through gzip(1), which every Debian has.
 */
#include "cli/doctor.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static enum tf_doctor_config search(FILE *file, const char *option, char *value,
                                    size_t size)
{
    char line[512];
    size_t length = strlen(option);
    size_t lines = 0;
    enum tf_doctor_config config = TF_CONFIG_UNSET;

    while (fgets(line, sizeof(line), file) != NULL) {
        lines++;
        if (strncmp(line, option, length) == 0 && line[length] == '=') {
            line[strcspn(line, "\n")] = '\0';
            (void)snprintf(value, size, "%s", line + length + 1);
            config = TF_CONFIG_SET;
        }
    }
    return lines == 0 ? TF_CONFIG_UNREADABLE : config;
}

/* Starts `gzip -dc` on a file. @return its output, or NULL. */
static FILE *unpack(int file, pid_t *pid)
{
    char name[] = "gzip";
    char flags[] = "-dc";
    char *const argv[] = {name, flags, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return NULL;
    }
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, file, STDIN_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    int rc = posix_spawnp(pid, name, &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    FILE *out = rc == 0 ? fdopen(ends[0], "r") : NULL;
    if (out == NULL) {
        (void)close(ends[0]);
    }
    return out;
}

static enum tf_doctor_config search_packed(int fd, const char *option, char *value,
                                           size_t size)
{
    pid_t pid = 0;
    enum tf_doctor_config config = TF_CONFIG_UNREADABLE;

    FILE *out = unpack(fd, &pid);
    if (out != NULL) {
        config = search(out, option, value, size);
        (void)fclose(out);
    }
    if (pid > 0) {
        (void)waitpid(pid, NULL, 0);
    }
    return config;
}

enum tf_doctor_config tf_doctor_config_read(const char *path, const char *option,
                                            char *value, size_t size)
{
    const char *end = strrchr(path, '.');
    enum tf_doctor_config config = TF_CONFIG_UNREADABLE;

    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return config;
    }
    if (end != NULL && strcmp(end, ".gz") == 0) {
        config = search_packed(fd, option, value, size);
    } else {
        FILE *file = fdopen(dup(fd), "r");
        if (file != NULL) {
            config = search(file, option, value, size);
            (void)fclose(file);
        }
    }
    (void)close(fd);
    return config;
}
