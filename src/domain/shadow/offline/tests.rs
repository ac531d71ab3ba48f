//! The offline forecast by example; that it says what a server says is a live test.
