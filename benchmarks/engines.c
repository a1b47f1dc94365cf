/* The limit: the models of engines.py as a C programmer would write them, with the same records.
   Arrivals and demands are read from the same arrays, and the same eight columns are written of a request.
   Every server has one slot and serves in the order of arrival, so a request's end is known when it comes.
   What is written goes round in buffers of mask + 1 requests, which stay in the cache.
   A server's requests are a list through `behind`; those that have ended are taken off when it is looked at. */
#include <stdint.h>
#include <stdlib.h>

typedef struct {
    int64_t servers, requests;
    const double *arrival, *demand;
    double *came, *begin, *finish, *answered;
    int32_t *server, *depth, *balancer;
    int8_t *outcome;
    int64_t *behind, *first, *last, *inside;
    uint64_t seed;
    int64_t mask;
} Model;

static inline double draw(uint64_t *state) {
    uint64_t z = (*state += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
}

static inline int64_t look(const Model *m, int64_t s, double now) {
    while (m->inside[s] > 0 && m->finish[m->first[s] & m->mask] <= now) {
        m->inside[s]--;
        m->first[s] = m->behind[m->first[s] & m->mask];
    }
    return m->inside[s];
}

static inline void join(const Model *m, int64_t r, int64_t s, int64_t count) {
    double now = m->arrival[r];
    int64_t at = r & m->mask, before = m->last[s] & m->mask;
    m->begin[at] = count ? m->finish[before] : now;
    m->finish[at] = m->answered[at] = m->begin[at] + m->demand[r];
    if (count) m->behind[before] = r;
    else m->first[s] = r;
    m->last[s] = r;
    m->inside[s] = count + 1;
    m->came[at] = now;
    m->balancer[at] = 0;
    m->outcome[at] = 0;
    m->server[at] = (int32_t)s;
    m->depth[at] = (int32_t)(count ? count - 1 : 0);
}

void round_robin(Model *m) {
    int64_t s = 0;
    for (int64_t r = 0; r < m->requests; r++) {
        join(m, r, s, look(m, s, m->arrival[r]));
        if (++s == m->servers) s = 0;
    }
}

void power_of_two(Model *m) {
    for (int64_t r = 0; r < m->requests; r++) {
        double now = m->arrival[r];
        int64_t a = (int64_t)(draw(&m->seed) * m->servers);
        int64_t b = (int64_t)(draw(&m->seed) * (m->servers - 1));
        b += b >= a;
        int64_t at_a = look(m, a, now), at_b = look(m, b, now);
        if (at_b < at_a) join(m, r, b, at_b);
        else join(m, r, a, at_a);
    }
}

static void shortest_of_few(Model *m) {
    for (int64_t r = 0; r < m->requests; r++) {
        double now = m->arrival[r];
        int64_t best = 0, least = INT64_MAX, ties = 0;
        for (int64_t s = 0; s < m->servers; s++) {
            int64_t level = look(m, s, now);
            if (level < least) { least = level; best = s; ties = 1; }
            else ties += level == least;
        }
        if (ties > 1)
            for (int64_t skip = (int64_t)(draw(&m->seed) * ties); skip > 0; skip -= m->inside[best] == least) best++;
        join(m, r, best, least);
    }
}

static inline double end_of(const Model *m, int64_t s) { return m->finish[m->first[s] & m->mask]; }

static inline void swap(int64_t *order, int64_t *place, int64_t s, int64_t to) {
    int64_t other = order[to], from = place[s];
    order[to] = s;
    place[s] = to;
    order[from] = other;
    place[other] = from;
}

static inline void sink(const Model *m, int64_t *heap, int64_t size, int64_t s) {
    double end = end_of(m, s);
    int64_t i = 0;
    for (int64_t below = 1; below < size; below = 2 * i + 1) {
        if (below + 1 < size && end_of(m, heap[below + 1]) < end_of(m, heap[below])) below++;
        if (end <= end_of(m, heap[below])) break;
        heap[i] = heap[below];
        i = below;
    }
    heap[i] = s;
}

/* Servers in the order of their levels: those of a level are next to each other, and one that changes
   its level changes places with the last or the first of them. A heap holds one end a busy server. */
static void shortest_of_many(Model *m) {
    int64_t n = m->servers, levels = m->requests + 2, size = 0, least = 0;
    int64_t *order = malloc(n * 8), *place = malloc(n * 8), *heap = malloc(n * 8);
    int64_t *from = calloc(levels + 1, 8);
    for (int64_t s = 0; s < n; s++) order[s] = place[s] = s;
    for (int64_t level = 1; level <= levels; level++) from[level] = n;
    for (int64_t r = 0; r < m->requests; r++) {
        double now = m->arrival[r];
        while (size > 0 && end_of(m, heap[0]) <= now) {
            int64_t s = heap[0], level = m->inside[s]--;
            swap(order, place, s, from[level]);
            from[level]++;
            if (level - 1 < least) least = level - 1;
            if (level > 1) m->first[s] = m->behind[m->first[s] & m->mask];
            else s = heap[--size];
            if (size > 0) sink(m, heap, size, s);
        }
        while (from[least + 1] == from[least]) least++;
        int64_t s = order[from[least] + (int64_t)(draw(&m->seed) * (from[least + 1] - from[least]))];
        int64_t level = m->inside[s];
        from[level + 1]--;
        swap(order, place, s, from[level + 1]);
        join(m, r, s, level);
        if (level == 0) {
            int64_t i = size++;
            while (i > 0 && end_of(m, heap[(i - 1) / 2]) > end_of(m, s)) { heap[i] = heap[(i - 1) / 2]; i = (i - 1) / 2; }
            heap[i] = s;
        }
    }
    free(order); free(place); free(heap); free(from);
}

void join_shortest_queue(Model *m) {
    if (m->servers <= 32) shortest_of_few(m);
    else shortest_of_many(m);
}
