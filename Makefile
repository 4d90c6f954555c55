# GNU make.
#
#	make                    build/wsexec and build/libwsexec.a
#	make check              unit, page, end-to-end and browser tests
#	                        (check-unit, check-page, check-e2e and
#	                        check-browser for one of them)
#	make check-asan         the same with address and undefined sanitizers
#	make check-valgrind     unit tests and some of the others in valgrind
#	make fuzz               fuzzers, each for FUZZ_SECONDS (60), or those
#	                        of FUZZ='http json'
#	make soak               heavy tests of the main promises, for half an hour
#	make bench-tools        what measures: emit, floor, swarm and pour, in
#	                        build/tests/bench
#	make lint               format, layers, headers, scripts, manuals
#	make install            to PREFIX (/usr/local) below DESTDIR, with manuals
#	                        and completions for bash and zsh; uninstall
#	make clean              removes build and build-*
#
# Each variant has a folder of its own: make B=build-clang CC=clang.  CFLAGS,
# CPPFLAGS, LDFLAGS and LDLIBS are added to what is here.  V=1 shows whole
# commands; WERROR=1 or CI=true makes warnings errors.

B = build
SANITIZE =
PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
LIBDIR = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include
MANDIR = $(PREFIX)/share/man
BASHDIR = $(PREFIX)/share/bash-completion/completions
ZSHDIR = $(PREFIX)/share/zsh/site-functions
DOCDIR = $(PREFIX)/share/doc/wsexec

.DELETE_ON_ERROR:
.PHONY: all unit-tests check check-unit check-page check-e2e check-browser \
	check-asan check-valgrind fuzz fuzzers soak bench-tools lint install \
	uninstall clean
all:

ifneq ($(MAKECMDGOALS),clean)

packages := libevent_core libbsd-overlay libmd zlib libcrypt libssl libcrypto
ifeq ($(shell pkg-config --exists $(packages) && echo found),)
$(error pkg-config does not find $(packages): run scripts/install-dependencies)
endif

if_taken = $(foreach flag,$1,$(shell $(CC) -Werror $(flag) -c -o /dev/null \
	-x c /dev/null 2>/dev/null && echo $(flag)))

warnings := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef -Wvla \
	-Wnull-dereference
ifneq ($(filter 1 true,$(WERROR) $(CI)),)
warnings += -Werror
endif

hardening := -fPIE -fstack-protector-strong \
	$(call if_taken,-fstack-clash-protection -fcf-protection)
ifeq ($(SANITIZE),)
hardening += -O2 $(if $(filter -O0,$(CFLAGS)),,-U_FORTIFY_SOURCE \
	-D_FORTIFY_SOURCE=2)
else
hardening += -O1 -fsanitize=$(SANITIZE) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
# As shared libraries, two sanitizers of gcc do not agree on log_path.
sanitizers := -fsanitize=$(SANITIZE) \
	$(call if_taken,-static-libasan -static-libubsan)
endif

# No link-time optimization: it hides the names that libwsexec.o is to hide.
compile := $(CC) -std=c11 -g -pthread $(hardening) $(warnings) -D_GNU_SOURCE \
	-Isrc $(shell pkg-config --cflags $(packages)) $(CPPFLAGS) $(CFLAGS) \
	-fno-lto
link := $(CC) -pthread -pie -Wl,-z,relro,-z,now -Wl,--as-needed \
	$(sanitizers) $(CFLAGS) $(LDFLAGS)
libraries := $(shell pkg-config --libs $(packages)) -lwslay -lresolv $(LDLIBS)

library_sources := $(wildcard src/core/*.c src/net/*.c)
cli_sources := $(wildcard src/cli/*.c)
test_sources := $(wildcard tests/unit/*_test.c)
page := $(sort $(filter-out %.h %.json,$(wildcard src/page/*)))
manuals := $(wildcard man/*.[1-9])
examples := $(wildcard man/examples/*)
version = $(shell sed -n 's/.*WSEXEC_VERSION "\(.*\)"/\1/p' src/wsexec.h)

library_objects := $(library_sources:%.c=$(B)/%.o) $(B)/page.o
cli_objects := $(cli_sources:%.c=$(B)/%.o)
tests := $(test_sources:%.c=$(B)/%)
# A fuzzer is a file NAME_fuzz.c, and what they share.
fuzz_sources := $(wildcard tests/fuzz/*.c)
fuzz_shared := $(patsubst %.c,$(B)/%.o,$(filter-out %_fuzz.c,$(fuzz_sources)))
fuzzers := $(patsubst %.c,$(B)/%,$(filter %_fuzz.c,$(fuzz_sources)))
soak_objects := $(patsubst %.c,$(B)/%.o,$(wildcard tests/soak/*.c))
# Each tool of the benchmark is the files that begin with its name, and those
# that begin with none of their names.
bench_tools := emit floor swarm pour
bench_objects := $(patsubst %.c,$(B)/%.o,$(wildcard tests/bench/*.c))
bench_shared := $(filter-out $(bench_tools:%=$(B)/tests/bench/%%), \
	$(bench_objects)) $(B)/src/cli/value.o \
	$(filter $(B)/src/core/%,$(library_objects))
# Tests of cli have the name of a module of cli.
cli_tests := $(cli_sources:src/cli/%.c=$(B)/tests/unit/%_test)
-include $(library_objects:.o=.d) $(cli_objects:.o=.d) $(tests:=.d) \
	$(soak_objects:.o=.d) $(fuzzers:=.d) $(fuzz_shared:.o=.d) \
	$(bench_objects:.o=.d)

# Everything depends on a file with the flags and the names of the sources,
# so that a change of them is like a change of the sources.
flags := $(strip $(compile) : $(link) : $(libraries) : $(library_sources) \
	$(cli_sources) $(page))
ifneq ($(file <$(B)/flags),$(flags))
.PHONY: $(B)/flags
endif

endif

quiet := $(if $(filter 1,$(V)),,@)
say = $(if $(quiet),@printf '  %-5s %s\n' $1 $@)

all: $(B)/wsexec $(B)/libwsexec.a $(B)/completion.bash $(B)/completion.zsh

$(B)/flags: export text = $(flags)
$(B)/flags:
	@mkdir -p $(B)
	@printf '%s\n' "$$text" >$@

$(B)/%.o: %.c $(B)/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(quiet)$(compile) -MMD -MP -c -o $@ $<

$(B)/page.o: $(B)/page.c
	$(call say,CC)
	$(quiet)$(compile) -MMD -MP -c -o $@ $<

$(B)/page.c: $(page) scripts/embed $(B)/flags
	$(call say,EMBED)
	$(quiet)scripts/embed $@ $(page)

# One object, in which only what wsexec.h declares can be seen from outside:
# programs may have a buffer_append() of their own, and wsexec itself cannot
# use what is not in wsexec.h.
$(B)/libwsexec.o: $(library_objects)
	$(call say,LD)
	$(quiet)$(CC) -r -nostdlib -o $@ $^
	$(quiet)objcopy --wildcard --keep-global-symbol='wsexec_*' $@

$(B)/libwsexec.a: $(B)/libwsexec.o
	$(call say,AR)
	$(quiet)rm -f $@
	$(quiet)$(AR) rcs $@ $^

$(B)/wsexec: $(cli_objects) $(B)/libwsexec.a
	$(call say,LD)
	$(quiet)$(link) -o $@ $^ $(libraries)

$(B)/completion.%: $(B)/wsexec
	$(call say,MAKE)
	$(quiet)$< --completion $* >$@

$(cli_tests): $(filter-out %/main.o,$(cli_objects))
$(tests): %: %.o $(library_objects)
	$(call say,LD)
	$(quiet)$(link) -o $@ $^ -lcmocka $(libraries)

$(fuzzers): %: %.o $(fuzz_shared) $(library_objects)
	$(call say,LD)
	$(quiet)$(link) -fsanitize=fuzzer -o $@ $^ $(libraries)

fuzzers: $(fuzzers)

$(B)/tests/soak/client: $(soak_objects)
	$(call say,LD)
	$(quiet)$(link) -o $@ $^ $(libraries)

bench-tools: $(bench_tools:%=$(B)/tests/bench/%)

$(foreach tool,$(bench_tools),$(eval $(B)/tests/bench/$(tool): \
	$(filter $(B)/tests/bench/$(tool)%,$(bench_objects))))
$(bench_tools:%=$(B)/tests/bench/%): $(bench_shared)
	$(call say,LD)
	$(quiet)$(link) -o $@ $^ $(libraries)

unit-tests: $(tests)

check: all unit-tests
	@status=0; for suite in unit page e2e browser; do \
		$(MAKE) --no-print-directory check-$$suite || status=1; \
	done; exit $$status

check-unit: $(tests)
	@scripts/suite $(B) unit $^

check-page:
	@scripts/suite $(B) page $(wildcard tests/page/*.test.mjs)

check-e2e: bench-tools
check-e2e check-browser: all
	@scripts/suite $(B) $(@:check-%=%)

check-valgrind: all $(tests)
	@status=0; scripts/suite $(B) unit-valgrind $(tests) || status=1; \
	scripts/suite $(B) e2e-valgrind || status=1; exit $$status

# One after the other: each wants the machine for itself.
soak: all $(B)/tests/soak/client
	@status=0; for soak in runs handshakes exact stalled; do \
		printf '  SOAK  %s\n' $$soak; \
		WSEXEC=$(abspath $(B)/wsexec) \
		SOAK_CLIENT=$(abspath $(B)/tests/soak/client) \
		/usr/bin/python3 -B tests/soak/$$soak.py || status=1; \
	done; exit $$status

check-asan:
	@$(MAKE) --no-print-directory B=build-asan SANITIZE=address,undefined \
		check

# libFuzzer comes with clang.
fuzz:
	@$(MAKE) --no-print-directory B=build-fuzz CC=clang \
		SANITIZE=address,undefined CFLAGS=-fsanitize=fuzzer-no-link \
		fuzzers
	@scripts/fuzz $(patsubst %,build-fuzz/tests/fuzz/%_fuzz,$(or $(FUZZ), \
		$(patsubst %_fuzz,%,$(notdir $(fuzzers)))))

lint: all
	@scripts/lint $(B)

# The library is static only, so that its users need what it needs.
install: all
	install -D -m 755 $(B)/wsexec $(DESTDIR)$(BINDIR)/wsexec
	install -D -m 644 $(B)/libwsexec.a $(DESTDIR)$(LIBDIR)/libwsexec.a
	install -D -m 644 src/wsexec.h $(DESTDIR)$(INCLUDEDIR)/wsexec.h
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig
	printf '%s\n' >$(DESTDIR)$(LIBDIR)/pkgconfig/libwsexec.pc \
		'prefix=$(PREFIX)' \
		'includedir=$(INCLUDEDIR:$(PREFIX)/%=$${prefix}/%)' \
		'libdir=$(LIBDIR:$(PREFIX)/%=$${prefix}/%)' \
		'Name: libwsexec' 'Version: $(version)' \
		'Description: broadcast lines to WebSocket and HTTP clients' \
		'Requires: $(packages:libbsd-overlay=libbsd)' \
		'Cflags: -I$${includedir}' \
		'Libs: -L$${libdir} -lwsexec -lwslay -lresolv'
	install -D -m 644 $(B)/completion.bash $(DESTDIR)$(BASHDIR)/wsexec
	install -D -m 644 $(B)/completion.zsh $(DESTDIR)$(ZSHDIR)/_wsexec
	for page in $(manuals); do install -D -m 644 $$page \
		$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; done
	install -D -m 644 -t $(DESTDIR)$(DOCDIR)/examples $(examples)

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/wsexec $(DESTDIR)$(LIBDIR)/libwsexec.a \
		$(DESTDIR)$(LIBDIR)/pkgconfig/libwsexec.pc \
		$(DESTDIR)$(INCLUDEDIR)/wsexec.h $(DESTDIR)$(BASHDIR)/wsexec \
		$(DESTDIR)$(ZSHDIR)/_wsexec
	for page in $(manuals); do \
		rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; done
	rm -f $(examples:man/%=$(DESTDIR)$(DOCDIR)/%)

clean:
	rm -rf build build-*
