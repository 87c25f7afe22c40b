#include "go_asm.h"
#include "textflag.h"

// ends has at place n the byte that ends a field and whose lower half is n: a line feed (0x0a), a comma (0x2c). At the other places stands a
// byte with another lower half, which so equals none that is looked up there. One shuffle looks up 32 bytes; those of 0x80 and above get
// 0, which they do not equal either.
DATA ends<>+0x00(SB)/8, $0x0000000000000001
DATA ends<>+0x08(SB)/8, $0x0000002c000a0000
DATA ends<>+0x10(SB)/8, $0x0000000000000001
DATA ends<>+0x18(SB)/8, $0x0000002c000a0000
GLOBL ends<>(SB), RODATA|NOPTR, $32

// func markVectors(s *strip, text *byte, block, end int)
TEXT ·markVectors(SB), NOSPLIT, $0-32
	MOVQ s+0(FP), DI
	MOVQ text+8(FP), SI
	MOVQ block+16(FP), R11
	MOVQ end+24(FP), CX
	MOVQ strip_high(DI), R8
	MOVQ strip_feeds(DI), R9
	MOVQ strip_inside(DI), R10
	VMOVDQU ends<>(SB), Y0
	MOVL $0x22222222, AX // quotes
	VMOVD AX, X5
	VPBROADCASTD X5, Y5
	MOVL $0x0a0a0a0a, AX // line feeds
	VMOVD AX, X6
	VPBROADCASTD X6, Y6
	VPCMPEQB X7, X7, X7 // ones
	MOVQ R11, R12
	SHLQ $4, R12
	LEAQ strip_marks(DI)(R12*1), R12

next:
	VMOVDQU (SI), Y1
	VMOVDQU 32(SI), Y2

	// quotes into AX, and what is inside of them into DX: multiplying by ones without carries adds up, for each bit, all below it
	VPCMPEQB Y1, Y5, Y3
	VPCMPEQB Y2, Y5, Y4
	VPMOVMSKB Y3, AX
	VPMOVMSKB Y4, BX
	SHLQ $32, BX
	ORQ BX, AX
	VMOVQ AX, X3
	VPCLMULQDQ $0, X7, X3, X3
	VMOVQ X3, DX
	XORQ R10, DX
	MOVQ DX, R10
	SARQ $63, R10
	MOVQ AX, 8(R12)

	// line feeds inside quotes
	VPCMPEQB Y1, Y6, Y3
	VPCMPEQB Y2, Y6, Y4
	VPMOVMSKB Y3, AX
	VPMOVMSKB Y4, BX
	SHLQ $32, BX
	ORQ BX, AX
	MOVQ R9, BX
	BTSQ R11, BX
	ANDQ DX, AX
	CMOVQNE BX, R9

	// ends of fields
	VPSHUFB Y1, Y0, Y3
	VPSHUFB Y2, Y0, Y4
	VPCMPEQB Y1, Y3, Y3
	VPCMPEQB Y2, Y4, Y4
	VPMOVMSKB Y3, AX
	VPMOVMSKB Y4, BX
	SHLQ $32, BX
	ORQ BX, AX
	NOTQ DX
	ANDQ DX, AX
	MOVQ AX, 0(R12)

	// bytes that are not ASCII
	VPOR Y1, Y2, Y1
	VPMOVMSKB Y1, AX
	MOVQ R8, BX
	BTSQ R11, BX
	TESTL AX, AX
	CMOVQNE BX, R8

	ADDQ $64, SI
	ADDQ $16, R12
	INCQ R11
	CMPQ R11, CX
	JLT next

	MOVQ R8, strip_high(DI)
	MOVQ R9, strip_feeds(DI)
	MOVQ R10, strip_inside(DI)
	VZEROUPPER
	RET
