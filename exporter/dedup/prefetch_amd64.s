#include "textflag.h"

// func prefetch(places *[Group]*uint32, n int)
TEXT ·prefetch(SB), NOSPLIT, $0-16
	MOVQ places+0(FP), SI
	MOVQ n+8(FP), CX
	LEAQ (SI)(CX*8), CX
	JMP check

next:
	MOVQ (SI), AX
	PREFETCHT0 (AX)
	ADDQ $8, SI

check:
	CMPQ SI, CX
	JB next
	RET
