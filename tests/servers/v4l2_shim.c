/* A stand-in for a webcam: loaded by LD_PRELOAD, it answers V4L2 for one path.
 *
 * SHIM_PATH    the file that becomes the camera
 * SHIM_JPEG    a JPEG of 640x480 that each frame shows; without it the camera gives grey YUYV only
 * SHIM_FRAMES  frames until it is "unplugged"
 * SHIM_FPS     frames/s, 30 unless said
 *
 * A memfd stands behind it, so that the program's own mmap and select work. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH = 640, HEIGHT = 480, ROOM = WIDTH * HEIGHT * 2, MOST = 8 };

static int camera = -1, buffers, queued[MOST], first, waiting, frames;
static unsigned int format, jpeg_size;
static unsigned char *memory;

static int number(const char *name, int otherwise) {
    const char *value = getenv(name);
    return value ? atoi(value) : otherwise;
}

static int open_camera(void) {
    camera = memfd_create("camera", 0);
    if (ftruncate(camera, MOST * ROOM) != 0) return -1;
    memory = mmap(NULL, MOST * ROOM, PROT_READ | PROT_WRITE, MAP_SHARED, camera, 0);
    format = V4L2_PIX_FMT_YUYV;
    buffers = first = waiting = frames = 0;
    return camera;
}

static int is_camera(const char *path) {
    const char *name = getenv("SHIM_PATH");
    return name && path && strcmp(path, name) == 0;
}

#define OPEN(NAME)                                                            \
    int NAME(const char *path, int flags, ...) {                              \
        va_list rest;                                                         \
        va_start(rest, flags);                                                \
        int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0;     \
        va_end(rest);                                                         \
        if (is_camera(path)) return open_camera();                            \
        return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #NAME))(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

static int set_format(struct v4l2_format *wanted, int keep) {
    unsigned int asked = wanted->fmt.pix.pixelformat;
    unsigned int given = asked == V4L2_PIX_FMT_MJPEG && getenv("SHIM_JPEG") ? asked : V4L2_PIX_FMT_YUYV;
    if (keep) format = given;
    wanted->fmt.pix.width = WIDTH;
    wanted->fmt.pix.height = HEIGHT;
    wanted->fmt.pix.pixelformat = given;
    wanted->fmt.pix.field = V4L2_FIELD_NONE;
    wanted->fmt.pix.bytesperline = given == V4L2_PIX_FMT_YUYV ? WIDTH * 2 : 0;
    wanted->fmt.pix.sizeimage = ROOM;
    return 0;
}

static void describe(struct v4l2_buffer *buffer) {
    buffer->length = ROOM;
    buffer->m.offset = buffer->index * ROOM;
    buffer->memory = V4L2_MEMORY_MMAP;
}

static unsigned int fill(unsigned char *to) {
    if (format == V4L2_PIX_FMT_YUYV) {
        memset(to, 128, ROOM);
        return ROOM;
    }
    FILE *file = fopen(getenv("SHIM_JPEG"), "rb");
    unsigned int size = file ? fread(to, 1, ROOM, file) : 0;
    if (file) fclose(file);
    return size;
}

static int dequeue(struct v4l2_buffer *buffer) {
    if (frames == number("SHIM_FRAMES", -1)) return errno = ENODEV, -1;
    if (!waiting) return errno = EAGAIN, -1;
    struct timespec pause = {0, 1000000000L / number("SHIM_FPS", 30)};
    nanosleep(&pause, NULL);
    buffer->index = queued[first];
    first = (first + 1) % MOST;
    waiting--;
    frames++;
    describe(buffer);
    buffer->bytesused = fill(memory + buffer->m.offset);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    buffer->timestamp.tv_sec = now.tv_sec;
    buffer->timestamp.tv_usec = now.tv_nsec / 1000;
    return 0;
}

static int answer(unsigned long request, void *data) {
    struct v4l2_buffer *buffer = data;
    switch (request) {
    case VIDIOC_QUERYCAP: {
        struct v4l2_capability *able = data;
        memset(able, 0, sizeof *able);
        strcpy((char *)able->driver, "shim");
        strcpy((char *)able->card, "Stand-in camera");
        able->capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING | V4L2_CAP_DEVICE_CAPS;
        able->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        return 0;
    }
    case VIDIOC_G_FMT: {
        struct v4l2_format *now = data;
        now->fmt.pix.pixelformat = format;
        return set_format(now, 0);
    }
    case VIDIOC_S_FMT: return set_format(data, 1);
    case VIDIOC_TRY_FMT: return set_format(data, 0);
    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM: {
        struct v4l2_streamparm *rate = data;
        rate->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
        rate->parm.capture.timeperframe.numerator = 1;
        rate->parm.capture.timeperframe.denominator = 30; /* as drivers do: what it claims, not what it gives */
        return 0;
    }
    case VIDIOC_REQBUFS: {
        struct v4l2_requestbuffers *asked = data;
        if (asked->count > MOST) asked->count = MOST;
        buffers = asked->count;
        first = waiting = 0;
        return 0;
    }
    case VIDIOC_QUERYBUF: return describe(buffer), 0;
    case VIDIOC_QBUF:
        queued[(first + waiting++) % MOST] = buffer->index;
        return 0;
    case VIDIOC_DQBUF: return dequeue(buffer);
    case VIDIOC_STREAMON: return 0;
    case VIDIOC_STREAMOFF: return first = waiting = 0;
    }
    return errno = EINVAL, -1;
}

int ioctl(int fd, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    void *data = va_arg(rest, void *);
    va_end(rest);
    if (fd >= 0 && fd == camera) return answer((unsigned int)request, data);
    return ((int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl"))(fd, request, data);
}
