// Streams, events and captured graphs. Everything is done when it is asked for, so that streams and events have nothing to
// wait for. A capture is no capture either: its work is done at once, and launching the graph afterwards does nothing.

#include <atomic>

#include "driver.hpp"

namespace {

struct Event {
    double time = 0.0;
    bool is_recorded = false, is_timed = true;
};
constexpr unsigned NO_TIMING = 2;

int the_graph, the_executable;

Result make_stream(void **stream) {
    static std::atomic<Address> streams{0};
    if (!has_context()) return INVALID_CONTEXT;
    *stream = reinterpret_cast<void *>(0x5000 + 16 * ++streams);
    return SUCCESS;
}

Result elapsed(float *milliseconds, const Event *from, const Event *to) {
    if (!from || !to || !from->is_recorded || !to->is_recorded) return INVALID_HANDLE;
    if (!from->is_timed || !to->is_timed) return INVALID_HANDLE;
    *milliseconds = static_cast<float>((to->time - from->time) / 1000.0);
    return SUCCESS;
}

Result make_executable(void **executable) { return *executable = &the_executable, SUCCESS; }

}  // namespace

DRIVER Result cuStreamCreate(void **stream, unsigned) { return make_stream(stream); }
DRIVER Result cuStreamCreateWithPriority(void **stream, unsigned, int) { return make_stream(stream); }
DRIVER Result cuStreamDestroy_v2(void *) { return SUCCESS; }
DRIVER Result cuStreamSynchronize(void *) { return SUCCESS; }
DRIVER Result cuStreamQuery(void *) { return SUCCESS; }
DRIVER Result cuStreamWaitEvent(void *, Event *, unsigned) { return SUCCESS; }
DRIVER Result cuStreamGetPriority(void *, int *priority) { return *priority = 0, SUCCESS; }
DRIVER Result cuLaunchHostFunc(void *, void (*function)(void *), void *data) { return function(data), SUCCESS; }

DRIVER Result cuEventCreate(Event **event, unsigned flags) {
    if (!has_context()) return INVALID_CONTEXT;
    *event = new Event;
    (*event)->is_timed = !(flags & NO_TIMING);
    return SUCCESS;
}
DRIVER Result cuEventDestroy_v2(Event *event) { return delete event, SUCCESS; }
DRIVER Result cuEventRecord(Event *event, void *) {
    if (!event) return INVALID_HANDLE;
    event->time = fake_time();
    event->is_recorded = true;
    return SUCCESS;
}
DRIVER Result cuEventRecordWithFlags(Event *event, void *stream, unsigned) { return cuEventRecord(event, stream); }
DRIVER Result cuEventQuery(Event *) { return SUCCESS; }
DRIVER Result cuEventSynchronize(Event *) { return SUCCESS; }
DRIVER Result cuEventElapsedTime(float *milliseconds, Event *from, Event *to) { return elapsed(milliseconds, from, to); }
DRIVER Result cuEventElapsedTime_v2(float *milliseconds, Event *from, Event *to) {
    return elapsed(milliseconds, from, to);
}

DRIVER Result cuStreamBeginCapture_v2(void *, int) { return SUCCESS; }
DRIVER Result cuStreamEndCapture(void *, void **graph) { return *graph = &the_graph, SUCCESS; }
DRIVER Result cuStreamIsCapturing(void *, int *status) { return *status = 0, SUCCESS; }
DRIVER Result cuThreadExchangeStreamCaptureMode(int *) { return SUCCESS; }
DRIVER Result cuGraphGetNodes(void *, void **, std::size_t *count) { return *count = 0, SUCCESS; }
DRIVER Result cuGraphInstantiate_v2(void **executable, void *, void *, char *, std::size_t) {
    return make_executable(executable);
}
DRIVER Result cuGraphInstantiateWithFlags(void **executable, void *, unsigned long long) {
    return make_executable(executable);
}
DRIVER Result cuGraphInstantiateWithParams(void **executable, void *, void *) { return make_executable(executable); }
DRIVER Result cuGraphUpload(void *, void *) { return SUCCESS; }
DRIVER Result cuGraphLaunch(void *, void *) { return SUCCESS; }
DRIVER Result cuGraphDestroy(void *) { return SUCCESS; }
DRIVER Result cuGraphExecDestroy(void *) { return SUCCESS; }
