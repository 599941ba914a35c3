// Hands frames to the pooling core by DMA, and compares what comes back with its own loops.

#include <generated/csr.h>

enum { SIZE = 28, POOLED = SIZE / 2, FRAMES = 3 };
enum { RIGHT = 1, WRONG = 2 };

#ifndef WINDOW
#define WINDOW 2  // what the core has; another one has to be found wrong
#endif

static unsigned char frame[SIZE][SIZE] __attribute__((aligned(4)));
static volatile unsigned char pooled[POOLED][POOLED] __attribute__((aligned(4)));

static int pool_one(unsigned seed) {
    for (int row = 0; row < SIZE; row++)
        for (int column = 0; column < SIZE; column++) {
            seed = seed * 1664525u + 1013904223u;
            frame[row][column] = seed >> 24;
        }
    pool_writer_enable_write(0);
    pool_reader_enable_write(0);
    pool_writer_base_write((unsigned long)pooled);
    pool_writer_length_write(sizeof pooled);
    pool_reader_base_write((unsigned long)frame);
    pool_reader_length_write(sizeof frame);
    pool_writer_enable_write(1);
    pool_reader_enable_write(1);
    while (!pool_writer_done_read()) {}

    for (int row = 0; row < POOLED; row++)
        for (int column = 0; column < POOLED; column++) {
            unsigned char most = 0;
            for (int i = 0; i < WINDOW; i++)
                for (int j = 0; j < WINDOW; j++)
                    if (frame[2 * row + i][2 * column + j] > most)
                        most = frame[2 * row + i][2 * column + j];
            if (pooled[row][column] != most) return WRONG;
        }
    return RIGHT;
}

int main(void) {
    int verdict = RIGHT;
    for (unsigned each = 0; each < FRAMES && verdict == RIGHT; each++) verdict = pool_one(each + 1);
    main_verdict_write(verdict);
    for (;;) {}
}
