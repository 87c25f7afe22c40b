package main

/*
#define _GNU_SOURCE
#include <link.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static void forget(uintptr_t from, uintptr_t until) {
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	from = (from + page - 1) / page * page;
	until = until / page * page;
	if (from < until) {
		madvise((void *)from, until - from, MADV_DONTNEED);
	}
}

// Called for each object that is loaded, until it returns 1: for the one that holds this code.
static int forget_tables(struct dl_phdr_info *object, size_t size, void *code) {
	int here = 0;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *s = &object->dlpi_phdr[i];
		if (s->p_type == PT_LOAD && (uintptr_t)code - (object->dlpi_addr + s->p_vaddr) < s->p_memsz) {
			here = 1;
		}
	}
	for (int i = 0; here && i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *s = &object->dlpi_phdr[i];
		if (s->p_type == PT_LOAD && s->p_flags == PF_R) {
			forget(object->dlpi_addr + s->p_vaddr, object->dlpi_addr + s->p_vaddr + s->p_filesz);
		}
	}
	return here;
}

static void forget_loading(void) { dl_iterate_phdr(forget_tables, (void *)forget_loading); }
*/
import "C"

// forgetLoading takes out of memory what only loading needed: the table of relocations, which the dynamic loader reads
// once, has a megabyte of this shared object's ten, and it would count as the process's for ever. Only what is read and
// never written nor run is given up, thus clean pages of a file: what is needed again is read again (madvise(2)).
func forgetLoading() { C.forget_loading() }
