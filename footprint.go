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

// Reports whether the loader wrote into what is else only read, as it does for objects linked with -z notext.
static int has_text_relocations(const struct dl_phdr_info *object) {
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *s = &object->dlpi_phdr[i];
		if (s->p_type != PT_DYNAMIC) {
			continue;
		}
		for (const ElfW(Dyn) *d = (const ElfW(Dyn) *)(object->dlpi_addr + s->p_vaddr); d->d_tag != DT_NULL; d++) {
			if (d->d_tag == DT_TEXTREL || (d->d_tag == DT_FLAGS && (d->d_un.d_val & DF_TEXTREL))) {
				return 1;
			}
		}
	}
	return 0;
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
	for (int i = 0; here && !has_text_relocations(object) && i < object->dlpi_phnum; i++) {
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
// once, has a megabyte of this shared object's ten, and it would count as the process's for ever. Given up is what is
// read and never written nor run: clean pages of a file, of which those that are needed again are read again
// (madvise(2)). Where the linker puts all that into the segment of the code, as on arm64, nothing is given up.
func forgetLoading() { C.forget_loading() }
