/* msg.h - what the mount process and the linker process say to each other.
 *
 * Two SOCK_SEQPACKET sockets (fs/transport.c) and a ring in shared memory (fs/ring.c) connect them. On the *control*
 * socket one thread of the linker process makes links, one at a time; from the *ring* its other threads take the short
 * requests, which they answer there; what of these carries descriptors goes by the *fill* socket. The ring has no
 * end-of-file: that the linker process is gone is seen at the sockets, that it hangs by a deadline. A packet is one struct
 * msg, up to MSG_TEXT_MAX bytes of text, and up to MSG_FD_MAX descriptors.
 * Anything longer (a recipe, diagnostics, a record, a link map) travels as a sealed memfd.
 *
 * The linker process is not trusted to be well: every field that steers the mount process is checked there.
 *
 * ld.linkfs and the commands of linkfs speak the same packets to the mount process over .linkfs/socket: the mount
 * process says CLIENT_HELLO, then each request has one answer (its type with MSG_REPLY), and the socket's end takes back
 * what was asked for and not yet placed.
 */
#ifndef LINKFS_MSG_H
#define LINKFS_MSG_H

#include <stddef.h>
#include <stdint.h>

#define MSG_MAGIC 0x3173666cu /* "lfs1", little-endian */
#define MSG_VERSION 4
#define MSG_TEXT_MAX 1024
#define MSG_FD_MAX 200
#define MSG_BLOB_MAX ((uint64_t)1 << 30) /* no payload memfd is believed to be longer */

/* Direction: > to the linker process, < back. A reply has the request's id, and its type with MSG_REPLY set. */
enum msg_type {
	MSG_HELLO = 1, /* < control: ready to work, .version is in every header */
	MSG_FDS,       /* <> control: descriptors for the LINK request or verdict of the same id that follows */
	MSG_LINK,      /* > control: make a link (replay: from its record); < the verdict */
	MSG_BACKING,   /* > fill: generation, its backing file (fd) and size; no reply */
	MSG_FILL,      /* > ring: write [off, off + sz) of the generation into its backing file; < done or why not */
	MSG_MAP,       /* > ring: render the link map; < fill: memfd */
	MSG_STATS,     /* > ring: counters of the linker; < them */
	MSG_DROP,      /* > ring: forget the generation; no reply */
	MSG_BELL,      /* < fill: there are answers in the ring, and the mount process said that it sleeps */
	MSG_OWN,       /* < control: while it makes a link: .text is a path below the mount point; > what stands there: a
			  generation, another path (.text), or a private copy (fd) */
	/* > from a client to the mount process */
	MSG_CLIENT_HELLO = 0x40, /* < unasked, first: who serves here; .text is the mount point */
	MSG_CLIENT_LINK,	 /* make a link; < the verdict, .text is the output's ID */
	MSG_CLIENT_PLACE,	 /* the symbolic link (fd 1, O_PATH: it may be left out) stands beside -o, in the directory fd
				    0, at that time; < then rename it */
	MSG_CLIENT_PLACED,	 /* -o is in place; no reply */
	MSG_CLIENT_SETTLE,	 /* settle all outputs; < when that is done, .text is what could not be settled */
	MSG_CLIENT_GC,		 /* forget what nobody points to; < how many */
	MSG_CLIENT_NOTE,	 /* .text is "PATH\nREASON": why an output was made in file mode; no reply */
	MSG_KEEP,      /* > fill: inputs (fd 0: a memfd of identities) of a generation stay as they are, the mount process sees
			  to it; < done. No generation: the bytes of the only one come from fd 1 now, wherever it is used; <
			  done, nothing reads the original any more */
	MSG_STAGE,     /* > ring: write pieces of the generation into a buffer of the ring, one behind the other; < as FILL */
	MSG_LOOK,      /* > fill: look at .text, a path on the mount, so that the kernel asks what it is; < ring: done */
	/* more from clients */
	MSG_CLIENT_RECIPE = 0x60, /* .text is an output's ID or the absolute path of -o; < its command line (fd 0), as a
				     recipe of .recipe_sz bytes; -ENOENT: it is not known */
	MSG_TYPE_END,
};
#define MSG_REPLY 0x100

/* Counters of the linker process; they start again with each new one. */
struct msg_stats {
	uint64_t inputs;
	uint64_t input_bytes;
	uint64_t mappings;
	uint64_t parsed_objects;
	uint64_t scanned_objects;
	uint64_t resolutions;
};

struct msg_stats_reply {
	struct msg_stats linker;
	uint64_t doing; /* enum linkfs_doing */
};

/* Counters of one image since it was made in this linker process. */
struct msg_image_stats {
	uint64_t filled_bytes;
	uint64_t relocs_applied;
};

/* By descriptor of the packet, a bit each. */
#define MSG_FD_WORDS ((MSG_FD_MAX + 63) / 64)
struct msg_fds {
	uint64_t known[MSG_FD_WORDS];  /* it is the record's input whatever it looks like: leased, or a copy */
	uint64_t copied[MSG_FD_WORDS]; /* a copy, which can't change any more */
};

struct msg_link {
	uint64_t recipe_sz; /* > of the memfd (fd 0): the recipe's text, then the record's bytes when it is a replay */
	uint64_t record_sz; /* > 0: a first link. Otherwise the FDS before it are the record's inputs, in its order */
	uint64_t wants_sides; /* > a client asks: it takes the texts that go beside the output, and can have code compiled */
};

struct msg_verdict {
	uint64_t diag_sz;   /* < of the memfd (fd 0): the diagnostics' text, */
	uint64_t record_sz; /* < then the record */
	uint64_t size;	    /* < of the output, bytes */
	uint64_t input_bytes;
	uint64_t eager_bytes;
	uint64_t relocs_total;
	uint64_t link_us;
	uint64_t map_sz;  /* < of a second memfd (fd 1): the link map's text, */
	uint64_t deps_sz; /* < then the dependency file's; both 0: there is no second one */
	uint64_t is_refused; /* < error -EINVAL: this linker can't do it, another may */
	uint64_t needs;	  /* < error -EAGAIN: the generation that must be loaded first */
	uint64_t needs_lto; /* < an error: an input is intermediate code, which the client has to have compiled */
	uint64_t code_off, code_sz; /* < of the output, what is mapped executable; 0, 0: nothing, or it is not known */
	struct msg_stats linker;
};

struct msg_range {
	uint64_t off;
	uint64_t sz;
	struct msg_image_stats image; /* < */
};

/* Which pieces of the output, the buffer says: an array of struct linkfs_range at its begin, before their bytes are there, one
 * behind the other. */
#define MSG_PIECES 128
struct msg_stage {
	uint64_t stage; /* the buffer */
	uint64_t cnt;	/* of pieces, MSG_PIECES at most */
	struct msg_image_stats image; /* < */
};

/* Who serves a mount. The client compares it with what it sees itself. */
struct msg_client_hello {
	uint64_t mount_ns;	    /* inode of /proc/self/ns/mnt */
	uint64_t root_dev, root_ino; /* of the root directory */
	uint64_t own_dev;	    /* the mount's device, as in struct msg_identity */
};

struct msg_client_link {
	uint64_t recipe_sz; /* > of the memfd (fd 0): the recipe's text, --chdir= included, */
	uint64_t path_sz;   /* > then the absolute path of -o, its directory without symbolic links */
	uint64_t mode;	    /* > of the output: 0777 less the umask */
	uint64_t old_dev, old_ino; /* > of the file at -o, which may not be an input; 0: there is none */
};

/* error: 0; -EINVAL: the link is wrong; -EIO: the mount could not make it, and another way may do. */
struct msg_client_verdict {
	uint64_t diag_sz; /* < of the memfd (fd 0): the diagnostics' text */
	uint64_t map_sz;  /* < of a second memfd (fd 1), as in struct msg_verdict */
	uint64_t deps_sz;
	uint64_t size;	       /* < bytes of the output */
	uint64_t is_for_disk;  /* < small: make it a plain file at once */
	uint64_t inputs, input_bytes, link_us; /* < to be told to people */
	uint64_t needs_lto;    /* < an error: as in struct msg_verdict; asked again with a plan it may go well */
	uint64_t is_refused;   /* < error -EINVAL: as in struct msg_verdict */
};

struct msg_client_place {
	int64_t mtime_ns;     /* > lstat time of the symbolic link; < the output's */
	uint64_t is_settled;  /* > PLACED: a plain file stands at -o */
	uint64_t cnt;	      /* < SETTLE, GC: how many */
};

struct msg {
	uint32_t magic;
	uint16_t version;
	uint16_t type;
	uint64_t id;	  /* of the request, chosen by the mount process, never reused */
	uint64_t gen;	  /* which generation it is about, as it was loaded into this linker process; 0: none */
	int32_t error;	  /* replies: 0 or -errno */
	uint32_t text_sz; /* bytes that follow this struct: why, for a person */
	union {
		struct msg_fds fds;
		struct msg_link link;
		struct msg_verdict verdict;
		struct msg_range range; /* FILL; BACKING uses sz alone */
		struct msg_stage stage;
		struct msg_stats_reply stats;
		uint64_t map_sz;
		uint64_t own_id; /* OWN <: of the generation, in records and NEEDS; .gen is its number of this load */
		struct msg_client_hello hello;
		struct msg_client_link client_link;
		struct msg_client_verdict client_verdict;
		struct msg_client_place place;
		uint64_t keep_cnt; /* KEEP: identities */
		uint64_t words[20];
	} u;
};
_Static_assert(sizeof(struct msg) == 32 + 160, "both processes are one binary, but the layout is fixed all the same");

/* --- the resolved record: what a link saw of the file system. A header, the directory it ran in, then the probes in
 * the order they were made, each followed by its path; everything padded to 8 bytes. */
#define RECORD_MAGIC 0x3164636572736c66ull
#define RECORD_PATH_MAX 4096

struct record_head {
	uint64_t magic;
	uint32_t probe_cnt;
	uint32_t fd_cnt; /* probes that gave a descriptor; after a failed link they are not sent */
	uint32_t cwd_sz; /* bytes of the absolute directory's name that follow, without the padding */
	uint32_t reserved;
};

/* An input's identity: all five equal means the same bytes. */
struct msg_identity {
	uint64_t dev;
	uint64_t ino;
	uint64_t size;
	int64_t mtime_ns;
	int64_t ctime_ns;
};

struct record_probe {
	int32_t open_error;	/* 0 or -errno of the open */
	int32_t stat_error;	/* 0 or -errno of looking: what is compared later */
	int32_t fd_idx;		/* place among the descriptors passed, -1: none */
	uint32_t path_sz;	/* bytes that follow, without the padding */
	struct msg_identity id; /* valid when stat_error is 0 */
	uint64_t own;		/* PATH is on the mount itself, and shows this generation; 0: it is not */
};

#endif
