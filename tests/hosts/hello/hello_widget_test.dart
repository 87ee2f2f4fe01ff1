// SPDX-License-Identifier: MIT
// The headless Flutter engine builds a widget and draws frames: what the hosts' tests stand on.
import 'package:flutter/widgets.dart';
import 'package:flutter_test/flutter_test.dart';

void main() {
  testWidgets('a text is shown', (tester) async {
    await tester.pumpWidget(
        const Directionality(textDirection: TextDirection.ltr, child: Text('hello')));
    expect(find.text('hello'), findsOneWidget);
  });
}
