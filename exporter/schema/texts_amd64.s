#include "go_asm.h"
#include "textflag.h"

// func putVectors(room *byte, fields [][]byte, entries []textEntry) (n, done, written int)
TEXT ·putVectors(SB), NOSPLIT, $0-80
	MOVQ room+0(FP), DI
	MOVQ fields_base+8(FP), R11
	MOVQ fields_len+16(FP), R12
	MOVQ entries_base+32(FP), R8
	MOVQ entries_len+40(FP), R9
	XORQ R13, R13 // written
	XORQ R10, R10 // done
	JMP check

next:
	ADDQ $textEntry__size, R8
	INCQ R10

check:
	CMPQ R10, R9
	JGE end
	MOVQ textEntry_place(R8), AX
	CMPQ AX, R12
	JAE next // a ragged row does not reach it
	LEAQ (AX)(AX*2), AX // a slice has three words
	MOVQ (R11)(AX*8), SI
	MOVQ 8(R11)(AX*8), CX
	CMPQ CX, $128
	JA end
	CMPQ 16(R11)(AX*8), $128
	JB end
	VMOVDQU textEntry_key(R8), Y0
	VMOVDQU Y0, (DI)
	MOVQ textEntry_size(R8), BX
	ADDQ DI, BX
	VMOVDQU (SI), Y1
	CMPQ CX, $32
	JAE long

	// an empty text is overwritten by the next entry: what comes behind it only counts when there is a carry
	MOVL CX, DX
	ORL $0xa0, DX
	MOVB DX, (BX)
	VMOVDQU Y1, 1(BX)
	LEAQ 1(BX)(CX*1), BX
	NEGQ CX // carries unless it is 0
	CMOVQCS BX, DI
	ADCQ $0, R13
	JMP next

long:
	MOVB $0xd9, (BX)
	MOVB CX, 1(BX)
	VMOVDQU 32(SI), Y0
	VMOVDQU Y1, 2(BX)
	VMOVDQU Y0, 34(BX)
	LEAQ 2(BX)(CX*1), DI
	INCQ R13
	VMOVDQU 64(SI), Y0
	VMOVDQU 96(SI), Y1
	VMOVDQU Y0, 66(BX)
	VMOVDQU Y1, 98(BX)
	JMP next

end:
	VZEROUPPER
	SUBQ room+0(FP), DI
	MOVQ DI, n+56(FP)
	MOVQ R10, done+64(FP)
	MOVQ R13, written+72(FP)
	RET
