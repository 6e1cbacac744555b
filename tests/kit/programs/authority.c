/* kit-authority DIR: make all keys and certificates of the synthetic world in DIR; what is there stays. */
#include "kit/authorities.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: kit-authority DIR\n");
        return 2;
    }
    return kit_authorities_make(argv[1]) ? 0 : 1;
}
