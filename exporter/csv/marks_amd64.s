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

// func markVectors(s *strip, text []byte, block int)
TEXT ·markVectors(SB), NOSPLIT, $0-40
	MOVQ s+0(FP), DI
	MOVQ text_base+8(FP), SI
	MOVQ text_len+16(FP), R11
	ADDQ SI, R11 // where the text ends
	MOVQ block+32(FP), R13
	MOVQ R13, R12
	SHLQ $4, R12
	LEAQ strip_marks(DI)(R12*1), R12 // its marks
	SHLQ $6, R13 // its place
	MOVQ marks_before(R12), R8
	MOVQ strip_count(DI), R9
	LEAQ strip_ends(DI)(R9*2), R9
	MOVQ strip_inside(DI), R10
	VMOVDQU ends<>(SB), Y0
	MOVL $0x22222222, AX // quotes
	VMOVD AX, X5
	VPBROADCASTD X5, Y5
	MOVL $0x0a0a0a0a, AX // line feeds
	VMOVD AX, X6
	VPBROADCASTD X6, Y6
	VPCMPEQB X7, X7, X7 // ones

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
	MOVQ AX, marks_quotes(R12)
	MOVQ R8, marks_before(R12)
	POPCNTQ AX, AX
	ADDQ AX, R8

	// line feeds inside quotes: NEGQ carries when there is one, and SBBQ makes -1 of that
	VPCMPEQB Y1, Y6, Y3
	VPCMPEQB Y2, Y6, Y4
	VPMOVMSKB Y3, AX
	VPMOVMSKB Y4, BX
	SHLQ $32, BX
	ORQ BX, AX
	ANDQ DX, AX
	NEGQ AX
	SBBQ BX, BX
	SHLQ $32, BX
	SUBQ BX, R8

	// bytes that are not ASCII
	VPOR Y1, Y2, Y3
	VPMOVMSKB Y3, AX
	NEGQ AX
	SBBQ BX, BX
	SHLQ $16, BX
	SUBQ BX, R8

	// ends of fields into AX, their number into CX
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
	POPCNTQ AX, CX
	LEAQ (R9)(CX*2), DX

	// their places: four of them, whether there are so many or not, since that cannot be foreseen; the next block's overwrite what is too much
	TZCNTQ AX, BX
	ADDL R13, BX
	MOVW BX, (R9)
	BLSRQ AX, AX
	TZCNTQ AX, BX
	ADDL R13, BX
	MOVW BX, 2(R9)
	BLSRQ AX, AX
	TZCNTQ AX, BX
	ADDL R13, BX
	MOVW BX, 4(R9)
	BLSRQ AX, AX
	TZCNTQ AX, BX
	ADDL R13, BX
	MOVW BX, 6(R9)
	CMPQ CX, $4
	JLE done

more:
	BLSRQ AX, AX
	TZCNTQ AX, BX
	ADDL R13, BX
	MOVW BX, 8(R9)
	ADDQ $2, R9
	DECQ CX
	CMPQ CX, $4
	JG more

done:
	MOVQ DX, R9
	ADDQ $64, SI
	ADDQ $marks__size, R12
	ADDL $64, R13
	CMPQ SI, R11
	JB next

	MOVQ R8, marks_before(R12)
	LEAQ strip_ends(DI), AX
	SUBQ AX, R9
	SHRQ $1, R9
	MOVQ R9, strip_count(DI)
	MOVQ R10, strip_inside(DI)
	VZEROUPPER
	RET
