// SPDX-License-Identifier: MIT
// One future, one stream and one cancel from the real Dart VM: the proof that the ABI carries events
// to an isolate without a callback, without a copy, and with an owner for every outcome.
import 'dart:async';
import 'dart:ffi';
import 'dart:io';
import 'dart:isolate';
import 'dart:typed_data';

import '../lib/src/cbor.dart';

final lib = DynamicLibrary.open(Platform.environment['CAUSEWAY_LIB'] ?? 'libcauseway.so');
final process = DynamicLibrary.process();

final cwDartInit = lib.lookupFunction<Int32 Function(Pointer<Void>, Pointer<Void>),
    int Function(Pointer<Void>, Pointer<Void>)>('cw_dart_init');
final cwPortNewDart = lib.lookupFunction<IntPtr Function(Int64, IntPtr, Pointer<Void>),
    int Function(int, int, Pointer<Void>)>('cw_port_new_dart');
final cwPortAttach = lib.lookupFunction<Int32 Function(IntPtr, IntPtr, Uint64),
    int Function(int, int, int)>('cw_port_attach');
final cwPortAttachStream = lib.lookupFunction<Int32 Function(IntPtr, IntPtr, Uint64, Uint32),
    int Function(int, int, int, int)>('cw_port_attach_stream');
final cwPortCredit = lib.lookupFunction<Int32 Function(IntPtr, Uint64, Uint32),
    int Function(int, int, int)>('cw_port_credit');
final cwPortCancel = lib
    .lookupFunction<Int32 Function(IntPtr, Uint64), int Function(int, int)>('cw_port_cancel');
final cwSleep = lib.lookupFunction<IntPtr Function(Uint64), int Function(int)>('cw_sleep');
final cwStreamNew = lib.lookupFunction<IntPtr Function(Size, Pointer<IntPtr>, Pointer<Void>),
    int Function(int, Pointer<IntPtr>, Pointer<Void>)>('cw_stream_new');
final cwProducerTrySend = lib.lookupFunction<Int32 Function(IntPtr, CwValue, Pointer<Void>),
    int Function(int, CwValue, Pointer<Void>)>('cw_producer_try_send');
final cwProducerEnd =
    lib.lookupFunction<Int32 Function(IntPtr), int Function(int)>('cw_producer_end');
final cwValueInt = lib.lookupFunction<CwValue Function(Int64), CwValue Function(int)>('cw_value_int');
final cwRelease = lib.lookupFunction<Int32 Function(IntPtr), int Function(int)>('cw_release');
final cwHandleCount =
    lib.lookupFunction<Uint64 Function(Int32), int Function(int)>('cw_handle_count');
final cwEnvelopeFree =
    lib.lookupFunction<Void Function(IntPtr), void Function(int)>('cw_envelope_free');
final malloc =
    process.lookupFunction<Pointer<Void> Function(Size), Pointer<Void> Function(int)>('malloc');

final class CwValue extends Struct {
  @Uint64()
  external int bits;
  @Uint32()
  external int aux;
  @Uint32()
  external int kind;
}

const cancelled = -5;
const end = -19;

void check(bool holds, String claim) {
  if (holds) return;
  stderr.writeln('not true: $claim');
  exit(1);
}

Future<void> main() async {
  check(cwDartInit(NativeApi.initializeApiDLData, nullptr) == 0, 'the VM is known');
  final events = StreamController<List<Object?>>();
  final receive = RawReceivePort((Object? message) {
    final parts = message! as List<Object?>;
    for (final event in CborReader(parts[0]! as Uint8List).read()! as List<Object?>) {
      events.add(event! as List<Object?>);
    }
    cwEnvelopeFree(parts[1]! as int);
  });
  final next = StreamIterator(events.stream);
  Future<List<Object?>> event() async {
    check(await next.moveNext(), 'an event comes');
    return next.current;
  }

  final port = cwPortNewDart(receive.sendPort.nativePort, 0, nullptr);
  check(port != 0, 'a port is made');

  // One future, while the isolate goes on.
  var ticks = 0;
  final ticker = Timer.periodic(const Duration(milliseconds: 5), (_) => ticks++);
  check(cwPortAttach(port, cwSleep(100), 1) == 0, 'a future is attached');
  final slept = await event();
  ticker.cancel();
  check(slept[0] == 1 && slept[2] == 0, 'the future settles: $slept');
  check(ticks > 5, 'the isolate was never blocked: $ticks ticks');

  // One stream, as far as there is credit.
  final slot = malloc(8).cast<IntPtr>();
  final stream = cwStreamNew(16, slot, nullptr);
  final producer = slot.value;
  check(cwPortAttachStream(port, stream, 2, 3) == 0, 'a stream is attached');
  for (var i = 0; i < 10; i++) {
    check(cwProducerTrySend(producer, cwValueInt(i * i), nullptr) == 0, 'a value is sent');
  }
  for (var i = 0; i < 3; i++) {
    final item = await event();
    check(item[0] == 2 && item[1] == 1 && item[3] == i * i, 'item $i comes: $item');
  }
  await Future<void>.delayed(const Duration(milliseconds: 20));
  check(cwPortCredit(port, 2, 100) == 0, 'credit is given');
  for (var i = 3; i < 10; i++) {
    check((await event())[3] == i * i, 'item $i comes after the credit');
  }
  check(cwProducerEnd(producer) == 0, 'the stream ends');
  final last = await event();
  check(last[1] == 2 && last[2] == end, 'the end comes: $last');

  // One cancel.
  check(cwPortAttach(port, cwSleep(1000000), 3) == 0, 'a long sleep is attached');
  check(cwPortCancel(port, 3) == 0, 'it is cancelled');
  final error = await event();
  check(error[0] == 3 && error[2] == cancelled, 'it says so: $error');
  check((error[3]! as Map<String, Object?>)['operation'] == 'sleep', 'and names the operation');

  check(cwRelease(port) == 0, 'the port is released');
  check(cwRelease(port) != 0, 'and stale afterwards');
  check(cwHandleCount(0) == 0, 'nothing is left: ${cwHandleCount(0)}');
  receive.close();
  print('first contact: a future, a stream with credit and a cancel');
  exit(0);
}
