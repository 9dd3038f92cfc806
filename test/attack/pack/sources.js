// SPDX-License-Identifier: Apache-2.0
// Sources that lead a compiler into the depths. `//@ nested OPEN CLOSE` stands for each of them
// 100,000 times in a row, a source that nobody would write down (test/attack/pack_test.sh).

//# source-nested-brackets stack/memory/exception
//@ nested [ ]

//# source-nested-parentheses stack/memory/exception
//@ nested ( )

//# source-nested-braces stack/memory/exception
//@ nested { }

//# source-nested-functions stack/memory/exception/steps
//@ nested (function(){ })

//# source-nested-unary stack/memory/exception
//@ nested ! 1

//# source-nested-conditions stack/memory/exception/steps
//@ nested 1?1:

//# source-nested-assignments stack/memory/exception
//@ nested a=

//# source-nested-operators stack/memory/exception/any
//@ nested 1+ 1

//# source-nested-calls stack/memory/exception/any
//@ nested f(

//# source-nested-statements stack/memory/exception
//@ nested if(1) ;

//# source-nested-regexp stack/memory/exception/steps
//@ regexp

//# source-large-source memory/exception/any/steps
//@ large

//# source-nested-templates stack/memory/exception duktape:- mujs:-
//@ nested `${ }`

//# source-nested-arrows stack/memory/exception duktape:- mujs:-
//@ nested a=>

//# source-nested-patterns stack/memory/exception duktape:- mujs:-
//@ nested ([ ]=1)

//# source-nested-classes stack/memory/exception duktape:- mujs:-
//@ nested class{x= }
