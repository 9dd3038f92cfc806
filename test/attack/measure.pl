#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# MRENCLAVE of an image, a second time: written from abi/layout.h and the SDM alone, sharing
# no code with lib/. Prints it in hex. Only Perl's own modules.
use strict;
use warnings;
use Digest::SHA;

my ($PAGE, $HOLE) = (4096, 65536);
my ($RO, $RX, $RW, $TCS) = (0x201, 0x205, 0x203, 0x100);

open(my $file, '<:raw', $ARGV[0] // die("usage: measure.pl IMAGE\n")) or die("$ARGV[0]: $!\n");
my $elf = do { local $/; <$file> };
my ($entry, $phoff, $shoff) = unpack('x24 Q< Q< Q<', $elf);
my ($phsize, $phcount, $shsize, $shcount, $shnames) = unpack('x54 v v v v v', $elf);

sub up { my ($size) = @_; return int(($size + $PAGE - 1) / $PAGE) * $PAGE; }

# The section with struct tf_layout.
my @sections = map { [unpack('V V Q< Q< Q< Q<', substr($elf, $shoff + $_ * $shsize, 40))] }
    0 .. $shcount - 1;
my $names = substr($elf, $sections[$shnames][4], $sections[$shnames][5]);
my ($section) = grep { unpack('Z*', substr($names, $_->[0])) eq '.tfaas.layout' } @sections;
my ($magic, $threads, $elrange, $stack, $heap, $slot, $shared, $slots, $slot_stack) =
    unpack('V V Q< Q< Q< Q< Q< x16 V x4 Q<', substr($elf, $section->[4], 80));
$magic == 0x3146544c or die("no layout\n");

my $sha = Digest::SHA->new(256);

# pages OFFSET SIZE SECINFO CONTENT: EADD and EEXTENDs of each page.
sub pages {
    my ($offset, $size, $secinfo, $content) = @_;
    for (my $at = 0; $at < $size; $at += $PAGE) {
        $sha->add(pack('a8 Q< Q< x40', 'EADD', $offset + $at, $secinfo));
        my $page = $at < length($content) ? substr($content, $at, $PAGE) : '';
        $page .= "\0" x ($PAGE - length($page));
        for (my $chunk = 0; $chunk < $PAGE; $chunk += 256) {
            $sha->add(pack('a8 Q< x48', 'EEXTEND', $offset + $at + $chunk),
                substr($page, $chunk, 256));
        }
    }
    return;
}

$sha->add(pack('a8 V Q< x44', 'ECREATE', 1, $elrange));

my $end = 0;
for my $i (0 .. $phcount - 1) {
    my ($type, $flags, $from, $address, undef, $file_size, $size) =
        unpack('V V Q< Q< Q< Q< Q<', substr($elf, $phoff + $i * $phsize, 56));
    next unless $type == 1 && $size != 0;
    my $first = $address - $address % $PAGE;
    my $secinfo = $flags & 2 ? $RW : $flags & 1 ? $RX : $RO;
    my $content = "\0" x ($address - $first) . substr($elf, $from, $file_size);
    pages($first, up($address + $size) - $first, $secinfo, $content);
    $end = up($address + $size);
}

my $slot_size = $HOLE + $slot_stack + $HOLE + $slot;
my $thread_size = $HOLE + $stack + $HOLE + 3 * $PAGE + $heap + $slots * $slot_size;
my $shared_at = $end + $threads * $thread_size;
for my $i (0 .. $threads - 1) {
    my $stack_at = $end + $i * $thread_size + $HOLE;
    my $tcs = $stack_at + $stack + $HOLE;
    my ($ssa, $own) = ($tcs + $PAGE, $tcs + 2 * $PAGE);
    my $heap_at = $own + $PAGE;
    pages($stack_at, $stack, $RW, '');
    pages($tcs, $PAGE, $TCS,    # STATE FLAGS OSSA CSSA NSSA OENTRY AEP OFSBASE OGSBASE limits
        pack('x16 Q< V V Q< x8 Q< Q< V V', $ssa, 0, 1, $entry, $own, $own, ~0 & 0xffffffff,
            ~0 & 0xffffffff));
    pages($ssa, $PAGE, $RW, '');
    my $slots_at = $heap_at + $heap;
    my $first = $slots_at + $HOLE + $slot_stack + $HOLE;
    pages($own, $PAGE, $RW, pack('x80 Q<11 x32 Q<3', $stack_at + $stack, $stack, $heap_at,
            $heap, $first, $slot, $shared_at, $shared, $elrange, $own, $i, $slots, $slot_size,
            $slot_stack));
}
print($sha->hexdigest, "\n");
